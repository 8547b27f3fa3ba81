package deadletter

import (
	"bytes"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/adminapi"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) { stack.Main(m, embeddedtest.Only(embedded.Kafka, embedded.Postgres)) }

type world struct {
	kafka     kafka.Config
	producer  *kafka.Producer
	service   *Service
	publisher *Publisher
	source    string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{kafka: kafka.DefaultConfig()}
	w.kafka.Brokers = embeddedtest.Stack(t).Addresses().Kafka.Brokers
	w.kafka.TopicPrefix = embeddedtest.Prefix(t)
	w.source = w.kafka.Topic("events")
	topics := append(TopicSpecs(DefaultConfig(), w.kafka), kafka.TopicSpec{Name: w.source, Partitions: 2})
	_, err := kafka.EnsureTopics(w.kafka, topics, false)
	require.NoError(t, err)
	w.producer = kafka.NewProducer(w.kafka)
	t.Cleanup(func() { require.NoError(t, w.producer.Close()) })
	metrics := NewMetrics(prometheus.NewRegistry())
	w.publisher = NewPublisher(w.kafka.Topic("events.dlq"), "1.2.3", w.producer, core.SystemClock{}, metrics)
	w.service = NewService(DefaultConfig(), w.kafka, w.producer, core.SystemClock{}, metrics)
	return w
}

func (w *world) letter(offset int64, reason string) Letter {
	return Letter{DeadLetter: kafka.DeadLetter{
		Topic: w.source, Epoch: 1, Partition: int32(offset % 2), Offset: offset,
		Timestamp: time.UnixMilli(1767225600000).UTC(),
		Key:       []byte("42"), Value: fmt.Appendf(nil, "value %d \xff", offset),
		Headers: []sarama.RecordHeader{{Key: []byte("h"), Value: []byte("1")}},
		Reason:  reason, Detail: "because",
	}}
}

func (w *world) publish(t *testing.T, letters ...Letter) {
	t.Helper()
	dead := make([]kafka.DeadLetter, len(letters))
	for i := range letters {
		dead[i] = letters[i].DeadLetter
	}
	require.NoError(t, w.publisher.Publish(t.Context(), dead))
}

// sourceRecords are the records of the letters' own topic.
func (w *world) sourceRecords(t *testing.T) (all []*sarama.ConsumerMessage) {
	t.Helper()
	require.NoError(t, w.service.scan(t.Context(), w.source, func(m *sarama.ConsumerMessage) error {
		all = append(all, m)
		return nil
	}))
	return all
}

func TestALetterIsListedOnceShownWholeReplayedAndDiscarded(t *testing.T) {
	w := newWorld(t)
	page, _, _, err := w.service.List(t.Context(), "events", Filter{}, Oldest, 0, 10)
	require.NoError(t, err)
	require.Empty(t, page)

	w.publish(t, w.letter(1, "malformed"), w.letter(2, "invalid"))
	w.publish(t, w.letter(1, "malformed"), w.letter(3, "malformed"))

	page, more, total, err := w.service.List(t.Context(), "events", Filter{}, Oldest, 0, 2)
	require.NoError(t, err)
	require.Len(t, page, 2)
	require.Equal(t, 3, total)
	require.EqualValues(t, 1, page[0].Offset)
	require.EqualValues(t, 2, page[1].Offset)
	page, more, _, err = w.service.List(t.Context(), "events", Filter{}, Oldest, more, 2)
	require.NoError(t, err)
	require.Zero(t, more)
	require.Len(t, page, 1)
	require.EqualValues(t, 3, page[0].Offset)

	letter := w.letter(2, "invalid")
	shown, err := w.service.Show(t.Context(), "events", letter.ID())
	require.NoError(t, err)
	require.Equal(t, letter.Value, shown.Value)
	require.Equal(t, letter.Key, shown.Key)
	require.Equal(t, letter.Headers, shown.Headers)
	require.Equal(t, letter.Timestamp, shown.Timestamp)
	require.Equal(t, "1.2.3", shown.Version)
	_, err = w.service.Show(t.Context(), "events", ID{"x", 1, 1, 1})
	require.ErrorIs(t, err, ErrNotFound)
	_, err = w.service.Show(t.Context(), "nothing", letter.ID())
	require.ErrorIs(t, err, ErrNotFound)

	outcome, err := w.service.Replay(t.Context(), "events", Filter{Reason: "malformed"}, true, nil)
	require.NoError(t, err)
	require.Equal(t, Outcome{Matched: 2}, outcome)
	require.Empty(t, w.sourceRecords(t), "a dry run writes nothing")

	var progress []int
	outcome, err = w.service.Replay(t.Context(), "events", Filter{Reason: "malformed"}, false,
		func(done, total int) { progress = append(progress, done, total) })
	require.NoError(t, err)
	require.Equal(t, Outcome{Matched: 2, Done: 2}, outcome)
	require.Equal(t, []int{1, 2, 2, 2}, progress)
	records := w.sourceRecords(t)
	require.Len(t, records, 2)
	require.Equal(t, w.letter(1, "").Value, records[0].Value)
	require.Equal(t, "42", string(records[0].Key))
	require.Len(t, records[0].Headers, 2)
	require.Equal(t, HeaderReplayOf, string(records[0].Headers[1].Key))

	outcome, err = w.service.Replay(t.Context(), "events", Filter{Reason: "malformed"}, false, nil)
	require.NoError(t, err)
	require.Zero(t, outcome.Matched, "what was replayed is not open any more")
	outcome, err = w.service.Discard(t.Context(), "events", Filter{IDs: []ID{letter.ID()}}, false, nil)
	require.NoError(t, err)
	require.Equal(t, Outcome{Matched: 1, Done: 1}, outcome)
	for state, n := range map[State]int{Open: 0, Replayed: 2, Discarded: 1} {
		page, _, _, err = w.service.List(t.Context(), "events", Filter{State: state}, Oldest, 0, 10)
		require.NoError(t, err)
		require.Len(t, page, n, state)
	}
}

func TestAChangeIsDiscardedButNeverReplayed(t *testing.T) {
	w := newWorld(t)
	w.publisher = NewPublisher(w.kafka.Topic("cdc.dlq"), "1.2.3", w.producer, core.SystemClock{},
		NewMetrics(prometheus.NewRegistry()))
	letter := w.letter(1, "column_missing")
	w.publish(t, letter)
	for _, dryRun := range []bool{true, false} {
		_, err := w.service.Replay(t.Context(), "cdc", Filter{IDs: []ID{letter.ID()}}, dryRun, nil)
		require.ErrorIs(t, err, ErrNoReplay)
		require.ErrorContains(t, err, "feedrank resync")
	}
	require.Empty(t, w.sourceRecords(t))
	outcome, err := w.service.Discard(t.Context(), "cdc", Filter{Reason: "column_missing"}, false, nil)
	require.NoError(t, err)
	require.Equal(t, Outcome{Matched: 1, Done: 1}, outcome)
}

func TestAHugeRecordIsKeptInPart(t *testing.T) {
	w := newWorld(t)
	huge := w.letter(1, "oversized")
	huge.Value = bytes.Repeat([]byte("x"), 1_000_000)
	noKey := w.letter(2, "empty")
	noKey.Key, noKey.Value = nil, nil
	w.publish(t, huge, noKey)
	shown, err := w.service.Show(t.Context(), "events", huge.ID())
	require.NoError(t, err)
	require.Equal(t, 1_000_000, shown.Truncated)
	require.Greater(t, len(shown.Value), 900_000)
	shown, err = w.service.Show(t.Context(), "events", noKey.ID())
	require.NoError(t, err)
	require.Nil(t, shown.Key)
	require.Nil(t, shown.Value)
	outcome, err := w.service.Replay(t.Context(), "events", Filter{IDs: []ID{huge.ID()}}, false, nil)
	require.NoError(t, err)
	require.Equal(t, Outcome{Matched: 1, Skipped: 1}, outcome)
}

func TestALetterSurvivesItsRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Letter{Version: "v", DeadLetter: kafka.DeadLetter{
			Topic: rapid.StringMatching(`[a-z.]{1,20}`).Draw(t, "topic"), Epoch: rapid.Uint16().Draw(t, "epoch"),
			Partition: rapid.Int32Range(0, 1<<30).Draw(t, "partition"), Offset: rapid.Int64Min(0).Draw(t, "offset"),
			Key: rapid.SliceOf(rapid.Byte()).Draw(t, "key"), Value: rapid.SliceOf(rapid.Byte()).Draw(t, "value"),
			Reason: "r", Detail: rapid.String().Draw(t, "detail"),
			At: time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")).UTC(),
		}}
		m := l.encode("q")
		key, _ := m.Key.Encode()
		value, _ := m.Value.Encode()
		record := &sarama.ConsumerMessage{Key: key, Value: value}
		for _, h := range m.Headers {
			record.Headers = append(record.Headers, &h)
		}
		got, mark, err := decode(record)
		require.NoError(t, err)
		require.Empty(t, mark)
		require.Equal(t, l, got)
		id, err := ParseID(l.ID().String())
		require.NoError(t, err)
		require.Equal(t, l.ID(), id)
	})
}

func FuzzARecordOfTheQueueIsALetterAMarkerOrForeign(f *testing.F) {
	f.Add("feedrank-dead-topic", "events", "feedrank-dead-offset", "x", []byte("v"))
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string, value []byte) {
		m := &sarama.ConsumerMessage{Value: value, Headers: []*sarama.RecordHeader{
			{Key: []byte(k1), Value: []byte(v1)},
			{Key: []byte(k2), Value: []byte(v2)},
		}}
		if l, _, err := decode(m); err == nil {
			require.NotEmpty(t, l.Topic)
		}
		if id, err := ParseID(v1); err == nil {
			again, err := ParseID(id.String())
			require.NoError(t, err)
			require.Equal(t, id, again)
		}
	})
}

func TestTheAdminCallsListShowAndReplay(t *testing.T) {
	w := newWorld(t)
	w.publish(t, w.letter(1, "malformed"), w.letter(2, "invalid"))
	call := adminapi.Serve(t, "/admin/v1/dead-letters", NewAPI(w.service, nil, nil).Routes())
	answer := call("GET", "?limit=1&reason=invalid", "", 200)
	letters := answer["items"].([]any)
	require.Len(t, letters, 1)
	id := letters[0].(map[string]any)["id"].(string)
	shown := call("GET", "/"+url.PathEscape(id), "", 200)
	require.Equal(t, "42", shown["key"].(map[string]any)["text"])
	require.NotEmpty(t, shown["value"].(map[string]any)["base64"])

	call("GET", "?partition=x", "", 400)
	call("GET", "?since=now", "", 400)
	call("GET", "?state=gone", "", 400)
	call("GET", "/nonsense", "", 400)
	call("GET", "/a:1:2:3", "", 404)
	call("POST", "/replay", "{", 400)
	call("POST", "/replay", "{}", 400)
	call("POST", "/replay", `{"ids":["x"]}`, 400)
	call("POST", "/replay", `{"since":"yesterday"}`, 400)
	call("POST", "/replay", `{"queue":"x","reason":"y"}`, 404)
	require.EqualValues(t, 0, call("POST", "/discard", `{"until":"2020-01-01T00:00:00Z"}`, 200)["matched"])
	require.EqualValues(t, 0, call("POST", "/discard", `{"partition":99}`, 200)["matched"])
	require.EqualValues(t, 2, call("POST", "/discard", `{"since":"2020-01-01T00:00:00Z","dry_run":true}`,
		200)["matched"])
	require.Contains(t, call("POST", "/replay", `{"queue":"cdc","reason":"y"}`, 409)["detail"], "feedrank resync")
	require.EqualValues(t, 0, call("POST", "/replay", `{"reason":"invalid","dry_run":true}`, 200)["done"])
	require.EqualValues(t, 1, call("POST", "/replay", `{"ids":["`+id+`"]}`, 200)["done"])
	require.EqualValues(t, 1, call("POST", "/discard", `{"reason":"malformed"}`, 200)["done"])
	require.Equal(t, "replayed", call("GET", "/"+url.PathEscape(id), "", 200)["state"])
	require.Empty(t, call("GET", "", "", 200)["items"])
}
