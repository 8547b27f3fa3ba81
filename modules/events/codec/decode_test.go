package codec

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
)

func FuzzTheScannerAcceptsWhatIsJSONAndNothingElse(f *testing.F) {
	for _, s := range []string{
		`{}`, `[1,2.5e-3,"a\u00e9\ud83d\ude00\ud800x"]`, ` {"a":[{"b":null}],"c":true,"d":false} `, `01`, `"\x"`,
		`{"a" 1}`, `[1,]`, `-`, `1e`, `"`,
		strings.Repeat("[", maxDepth+5), "\"\x01\"", "nul", "truefalse", `{"a":1,}`, "\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := scanner{data: data}
		s.skip()
		s.end()
		if s.err == errDepth { //nolint:errorlint // never wrapped
			return
		}
		want := json.Valid(data) && utf8.Valid(data)
		require.Equal(t, want, s.err == nil, "%q", data)
	})
}

func FuzzStringsMeanWhatTheyMeanToEncodingJSON(f *testing.F) {
	for _, s := range []string{`"a"`, `"\ud83d\ude00"`, `"\ud800"`, `"\ud800\u0041"`, `"\"\\\/\b\f\n\r\t"`, `"é"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := scanner{data: data}
		got := s.str()
		s.end()
		var want string
		if json.Unmarshal(data, &want) != nil || !utf8.Valid(data) || len(data) == 0 || s.peek() == 'n' {
			return
		}
		if data[0] == '"' {
			require.NoError(t, s.err, "%q", data)
			require.Equal(t, want, string(got))
		}
	})
}

func FuzzABatchIsDecodedWithoutPanicOrLoss(f *testing.F) {
	f.Add([]byte(`{"events":[{"event_id":"0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f","action":"like","post_id":"1","author_id":2,"occurred_at":"2026-01-01T00:00:00Z"},5]}`))
	f.Add([]byte(`{"events":[{"dwell_ms":1e99,"device":{"a":[]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		events, rejected, err := DecodeRequest(data, 1767225600000, acceptance{age: time.Hour, future: time.Minute})
		if err != nil {
			require.Contains(t, []core.Code{core.CodeMalformedJSON, core.CodeInvalidRequest}, core.CodeOf(err))
			return
		}
		require.True(t, json.Valid(data))
		require.Positive(t, len(events)+len(rejected))
		require.LessOrEqual(t, len(events)+len(rejected), maxEvents)
		for i := range events {
			e := events[i]
			e.User, e.Received = 3, 1767225600000
			readBack(t, e, core.KeyForms{})
		}
	})
}

// readBack writes an event as a record and reads it again.
func readBack(t require.TestingT, e Event, forms core.KeyForms) {
	m := Encode("events", &e)
	key, _ := m.Key.Encode()
	value, _ := m.Value.Encode()
	require.True(t, json.Valid(value), "%s", value)
	var got Event
	reader := NewDecoder(DefaultLog())
	reader.within = acceptance{age: 100 * 365 * 24 * time.Hour, future: time.Hour, keys: forms}
	reason, detail := reader.Decode(&sarama.ConsumerMessage{
		Key: key, Value: value, Timestamp: time.UnixMilli(e.Received),
		Partition: PartitionOf(key, DefaultLog().Partitions),
	}, &got)
	require.Empty(t, reason, detail)
	require.Equal(t, e, got)
}

func TestAnEventSurvivesItsRecord(t *testing.T) {
	own := rapid.Map(rapid.Int64Range(1-1<<62, 1<<62-1).Filter(func(n int64) bool { return n != 0 }),
		func(n int64) core.ID { return core.ID(n) })
	rapid.Check(t, func(t *rapid.T) {
		e := Event{
			User: own.Draw(t, "user"), Post: own.Draw(t, "post"), Author: own.Draw(t, "author"),
			Action:   rapid.SampledFrom(core.Actions()).Draw(t, "action"),
			Occurred: 1767225600000 - rapid.Int64Range(0, 1e9).Draw(t, "age"), Received: 1767225600000,
			Dwell:      uint32(rapid.IntRange(1, 86_400_000).Draw(t, "dwell")),
			Device:     rapid.StringN(0, 16, maxDevice).Draw(t, "device"),
			AppVersion: rapid.StringN(0, 8, maxAppVersion).Draw(t, "version"),
			Session:    rapid.StringN(0, 100, maxSession).Draw(t, "session"),
		}
		copy(e.ID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		e.ID[0] |= 1
		readBack(t, e, core.KeyForms{})
	})
}

func FuzzARecordIsAnEventOrDead(f *testing.F) {
	f.Add([]byte("42"), []byte(`{"v":1,"event_id":"0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f","action":"like","post_id":"1","author_id":"2","occurred_at":"2026-01-01T00:00:00Z"}`), int64(1767225600000))
	f.Add([]byte{}, []byte(nil), int64(0))
	f.Add([]byte("x"), []byte(`{"v":99}`), int64(1<<62))
	f.Fuzz(func(t *testing.T, key, value []byte, at int64) {
		reader := NewDecoder(DefaultLog())
		m := &sarama.ConsumerMessage{
			Key: key, Value: value, Timestamp: time.UnixMilli(at),
			Partition: PartitionOf(key, 4),
		}
		var first, second Event
		reason, detail := reader.Decode(m, &first)
		again, _ := reader.Decode(m, &second)
		require.Equal(t, reason, again, "a repeat decides alike")
		require.Equal(t, first, second)
		if reason != "" {
			require.NotEmpty(t, detail)
			return
		}
		require.True(t, first.User.Valid() && first.Post.Valid() && first.Author.Valid() && first.Action.Valid())
	})
}

func TestThePartitionOfAKeyIsTheOneThatKafkasClientsChoose(t *testing.T) {
	partitioner := sarama.NewMurmur2Partitioner("events")
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOf(rapid.Byte()).Draw(t, "key")
		n := rapid.Int32Range(1, 1024).Draw(t, "partitions")
		if len(key) == 0 {
			return // no key: any partition
		}
		want, err := partitioner.Partition(&sarama.ProducerMessage{Key: sarama.ByteEncoder(key)}, n)
		require.NoError(t, err)
		require.Equal(t, want, PartitionOf(key, n))
	})
}

func TestADwellTimeLiesWithinItsBucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		millis := rapid.Uint32Min(1).Draw(t, "millis")
		from, to := DwellBounds(DwellBucket(millis))
		d := time.Duration(millis) * time.Millisecond
		require.LessOrEqual(t, from, d)
		require.Less(t, d, to)
		require.LessOrEqual(t, float64(to), 1.25*float64(from))
	})
	require.EqualValues(t, 127, DwellBucket(1<<32-1))
	require.EqualValues(t, 0, DwellBucket(0))
}

func TestWhatIsNoEventSaysWhy(t *testing.T) {
	good := `{"v":1,"event_id":"0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f","action":"like","post_id":"1","author_id":"2","occurred_at":"2026-01-01T00:00:00Z"}`
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	partition := PartitionOf([]byte("42"), 4)
	for _, c := range []struct {
		key, value string
		at         time.Time
		partition  int32
		reason     string
	}{
		{"42", good, at, partition, ""},
		{"42", strings.Replace(good, `"v":1,`, ``, 1), at, partition, ""},
		{"42", "", at, partition, deadEmpty},
		{"42", good + strings.Repeat(" ", maxRecord), at, partition, deadOversized},
		{"x", good, at, partition, deadKey},
		{"", good, at, partition, deadKey},
		{"42", good, at, partition ^ 1, deadMisrouted},
		{"42", good, time.Time{}, partition, deadTimestamp},
		{"42", good[:50], at, partition, deadMalformed},
		{"42", `"text"`, at, partition, deadMalformed},
		{"42", good + "{}", at, partition, deadMalformed},
		{"42", strings.Replace(good, `"v":1`, `"v":2`, 1), at, partition, deadNewerVersion},
		{"42", strings.Replace(good, `"v":1`, `"v":-1`, 1), at, partition, deadMalformed},
		{"42", strings.Replace(good, `like`, `love`, 1), at, partition, deadInvalid},
		{"42", good, at.Add(8 * 24 * time.Hour), partition, deadInvalid},
		{"42", good, at.Add(-10 * time.Minute), partition, deadInvalid},
	} {
		var e Event
		reason, detail := NewDecoder(DefaultLog()).Decode(&sarama.ConsumerMessage{
			Key: []byte(c.key), Value: []byte(c.value), Timestamp: c.at, Partition: c.partition,
		}, &e)
		require.Equal(t, c.reason, reason, "%.80s: %s", c.value, detail)
	}
}

func TestAnEventWithTextForKeysSurvivesItsRecord(t *testing.T) {
	forms := core.KeyForms{Users: core.TextKeys, Posts: core.TextKeys}
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`[a-z"\\<>&: é🙂0-9-]{1,16}`)
		e := Event{
			Action: core.ActionLike, Occurred: 1767225600000, Received: 1767225600000, ID: core.EventID{1},
		}
		parse := func(name string) core.Key {
			k, err := core.ParseKey(key.Draw(t, name))
			require.NoError(t, err)
			return k
		}
		post, author := parse("post"), parse("author")
		e.Post, e.Author = post.ID, author.ID
		if post.Text != "" || author.Text != "" {
			e.Texts = &Texts{Post: post.Text, Author: author.Text}
		}
		e.SetUser(parse("user"))
		readBack(t, e, forms)
	})
}

func TestAUUIDOfARecordIsInItsOneForm(t *testing.T) {
	log := DefaultLog()
	log.Keys = core.KeyForms{Users: core.UUIDKeys, Posts: core.UUIDKeys}
	const id = "0192f0c1-8a4e-7cc3-98c4-dc0c0c07398f"
	for key, want := range map[string]string{id: deadMalformed, strings.ToUpper(id): deadKey, "7": deadKey} {
		var e Event
		m := &sarama.ConsumerMessage{
			Key: []byte(key), Value: []byte("x"), Timestamp: time.Now(),
			Partition: PartitionOf([]byte(key), log.Partitions),
		}
		reason, _ := NewDecoder(log).Decode(m, &e)
		require.Equal(t, want, reason, key)
	}
}
