package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// asUser takes the token for the user's id.
type asUser struct{}

func (asUser) Authenticate(h http.Header) (httpserver.Principal, error) {
	id, err := core.ParseID(strings.TrimPrefix(h.Get("Authorization"), "Bearer "))
	if err != nil {
		return httpserver.Principal{}, core.Errorf(core.CodeUnauthenticated, "no token")
	}
	return httpserver.Principal{UserID: id}, nil
}

// hides keeps what was hidden.
type hides struct {
	posts atomic.Pointer[[]core.HiddenPost]
}

func (h *hides) Hide(_ context.Context, _ core.ID, hidden []core.HiddenPost) {
	h.posts.Store(&hidden)
}

type undrained struct{}

func (undrained) Drain() {}

// serve runs the API and returns the URL of its call.
func serve(t *testing.T, cfg Config, topic string, p Producer) string {
	t.Helper()
	return serveAPI(t, New(cfg, topic, p, &hides{}, core.SystemClock{}, prometheus.NewRegistry()))
}

func serveAPI(t *testing.T, api *API) string {
	t.Helper()
	httpConfig := httpserver.DefaultConfig()
	httpConfig.Addr = "127.0.0.1:0"
	server := httpserver.New(httpConfig, api.Routes(), asUser{}, undrained{}, nil, prometheus.NewRegistry(),
		zaptest.NewLogger(t))
	require.NoError(t, server.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	return "http://" + server.Addr() + "/api/v1/events"
}

func post(t *testing.T, url string, body []byte, headers ...string) (int, map[string]any, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer 42")
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var answer map[string]any
	require.NoError(t, json.Unmarshal(text, &answer), "%s", text)
	return response.StatusCode, answer, response.Header
}

// valid is an event as a client sends it, with some members changed; nil takes one out.
func valid(changes ...any) map[string]any {
	e := map[string]any{
		"event_id": "0190A8C2-7a5e-7c3d-9b1f-3f6a2d4c5e6f", "action": "dwell", "post_id": "9223372036854775807",
		"author_id":   7,
		"occurred_at": time.Now().Add(-time.Hour).Format(time.RFC3339Nano), "dwell_ms": 1200, "device": "phône \"x\"\n",
		"app_version":  "1.0",
		"feed_session": "s", "user_id": "1", "from_the_future": map[string]any{"a": []int{1}},
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == nil {
			delete(e, changes[i].(string))
			continue
		}
		e[changes[i].(string)] = changes[i+1]
	}
	return e
}

func batchOf(t *testing.T, events ...any) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{"events": events, "more": 1})
	require.NoError(t, err)
	return body
}

func zipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(body)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestAnAcceptedEventIsInKafkaUnderItsUser(t *testing.T) {
	t.Parallel()
	w := newLog(t)
	url := serve(t, w.cfg, w.KafkaConfig.Topic(w.cfg.Topic), w.producer)
	status, answer, _ := post(t, url, zipped(t, batchOf(t, valid(), valid("action", "no"), "text",
		valid("action", "like", "dwell_ms", nil))), "Content-Encoding", "gzip")
	require.Equal(t, http.StatusAccepted, status, answer)
	require.EqualValues(t, 2, answer["accepted"])
	rejected := answer["rejected"].([]any)
	require.Len(t, rejected, 2)
	require.Equal(t, []any{1.0, "action", "unknown_action"},
		[]any{
			rejected[0].(map[string]any)["index"], rejected[0].(map[string]any)["field"],
			rejected[0].(map[string]any)["code"],
		})
	require.EqualValues(t, 2, rejected[1].(map[string]any)["index"])

	config, err := w.KafkaConfig.Sarama()
	require.NoError(t, err)
	consumer, err := sarama.NewConsumer(w.KafkaConfig.Brokers, config)
	require.NoError(t, err)
	defer func() { require.NoError(t, consumer.Close()) }()
	partition := codec.PartitionOf([]byte("42"), w.cfg.Partitions)
	reader, err := consumer.ConsumePartition(w.KafkaConfig.Topic(w.cfg.Topic), partition, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, reader.Close()) }()
	for _, action := range []core.Action{core.ActionDwell, core.ActionLike} {
		m := <-reader.Messages()
		require.Equal(t, "42", string(m.Key))
		require.Equal(t, "feedrank-event-version", string(m.Headers[0].Key))
		var e codec.Event
		reason, detail := codec.NewDecoder(w.cfg.Log).Decode(m, &e)
		require.Empty(t, reason, detail)
		require.EqualValues(t, 42, e.User, "the user is the token's, whatever the body says")
		require.Equal(t, "9223372036854775807", e.PostKey().String())
		require.EqualValues(t, 7, e.Author)
		require.Equal(t, action, e.Action)
		require.Equal(t, "phône \"x\"\n", e.Device)
		require.Equal(t, byte(0xc2), e.ID[3])
	}
}

func TestBatchesThatAreNoneAreRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	w := newLog(t)
	cfg := w.cfg
	cfg.MaxDecompressed = 4096
	url := serve(t, cfg, w.KafkaConfig.Topic(cfg.Topic), w.producer)
	many := make([]any, 101)
	for i := range many {
		many[i] = valid()
	}
	for name, c := range map[string]struct {
		body    []byte
		headers []string
		status  int
		code    core.Code
	}{
		"empty":         {nil, nil, 400, core.CodeMalformedJSON},
		"not JSON":      {[]byte(`{"events": [}`), nil, 400, core.CodeMalformedJSON},
		"text after it": {[]byte(`{"events": [{}]} x`), nil, 400, core.CodeMalformedJSON},
		"an array":      {[]byte(`[{}]`), nil, 400, core.CodeMalformedJSON},
		"bad UTF-8":     {[]byte("{\"events\": [\"\xff\"]}"), nil, 400, core.CodeMalformedJSON},
		"deep": {[]byte(`{"events": [` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) +
			`]}`), nil, 400, core.CodeMalformedJSON},
		"no events":       {[]byte(`{}`), nil, 400, core.CodeInvalidRequest},
		"events no array": {[]byte(`{"events": {}}`), nil, 400, core.CodeInvalidRequest},
		"none":            {[]byte(`{"events": []}`), nil, 400, core.CodeInvalidRequest},
		"too many":        {batchOf(t, many...), nil, 400, core.CodeInvalidRequest},
		"too large":       {bytes.Repeat([]byte(" "), 1<<20+1), nil, 413, core.CodeTooLarge},
		"a bomb": {
			zipped(t, bytes.Repeat([]byte(" "), 4097)),
			[]string{"Content-Encoding", "gzip"},
			413, core.CodeTooLarge,
		},
		"exactly the limit": {bytes.Repeat([]byte(" "), 1<<20), nil, 400, core.CodeMalformedJSON},
		"exactly the limit, unpacked": {
			zipped(t, bytes.Repeat([]byte(" "), 4096)),
			[]string{"Content-Encoding", "gzip"},
			400, core.CodeMalformedJSON,
		},
		"coding in capitals": {
			zipped(t, []byte(`[]`)),
			[]string{"Content-Encoding", "GZip"},
			400,
			core.CodeMalformedJSON,
		},
		"the coding's other name": {
			zipped(t, []byte(`[]`)),
			[]string{"Content-Encoding", "X-GZIP"},
			400,
			core.CodeMalformedJSON,
		},
		"no coding, in capitals": {[]byte(`[]`), []string{"Content-Encoding", "Identity"}, 400, core.CodeMalformedJSON},
		"cut gzip": {
			zipped(t, batchOf(t, valid()))[:30],
			[]string{"Content-Encoding", "gzip"},
			400,
			core.CodeInvalidRequest,
		},
		"not gzip": {batchOf(t, valid()), []string{"Content-Encoding", "gzip"}, 400, core.CodeInvalidRequest},
		"brotli":   {batchOf(t, valid()), []string{"Content-Encoding", "br"}, 415, core.CodeMediaType},
		"form": {
			batchOf(t, valid()),
			[]string{"Content-Type", "application/x-www-form-urlencoded"},
			415,
			core.CodeMediaType,
		},
		"no token": {batchOf(t, valid()), []string{"Authorization", ""}, 401, core.CodeUnauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer, _ := post(t, url, c.body, c.headers...)
			require.Equal(t, c.status, status, answer)
			require.EqualValues(t, c.code, answer["code"])
		})
	}
	status, answer, _ := post(t, url+"?limit=1", batchOf(t, valid()))
	require.Equal(t, 400, status, answer)
	require.Equal(t, "limit", answer["field"])
}

func TestEachWrongEventIsRejectedByItself(t *testing.T) {
	t.Parallel()
	w := newLog(t)
	url := serve(t, w.cfg, w.KafkaConfig.Topic(w.cfg.Topic), w.producer)
	at := func(d time.Duration) string { return time.Now().Add(d).Format(time.RFC3339) }
	for _, c := range []struct {
		event       map[string]any
		field, code string
	}{
		{valid("event_id", nil), "event_id", "missing"},
		{valid("event_id", 5), "event_id", "invalid"},
		{valid("event_id", "0190a8c27a5e7c3d9b1f3f6a2d4c5e6f"), "event_id", "invalid"},
		{valid("event_id", "00000000-0000-0000-0000-000000000000"), "event_id", "invalid"},
		{valid("event_id", "0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6g"), "event_id", "invalid"},
		{valid("action", nil), "action", "missing"},
		{valid("action", "LIKE"), "action", "unknown_action"},
		{valid("post_id", nil), "post", "missing"},
		{valid("post_id", "0"), "post_id", "invalid"},
		{valid("post_id", "-0"), "post_id", "invalid"},
		{valid("post_id", 1.5), "post_id", "invalid"},
		{valid("post_id", "9223372036854775808"), "post_id", "invalid"},
		{valid("post_id", strings.Repeat("9", 10_000)), "post_id", "invalid"},
		{valid("author_id", []int{1}), "author_id", "invalid"},
		{valid("occurred_at", nil), "occurred_at", "missing"},
		{valid("occurred_at", 1e12), "occurred_at", "invalid"},
		{valid("occurred_at", "yesterday"), "occurred_at", "invalid"},
		{valid("occurred_at", at(6*time.Minute)), "occurred_at", "in_future"},
		{valid("occurred_at", at(-169*time.Hour)), "occurred_at", "too_old"},
		{valid("occurred_at", "0001-01-01T00:00:00Z"), "occurred_at", "too_old"},
		{valid("dwell_ms", nil), "dwell_ms", "missing"},
		{valid("dwell_ms", 0), "dwell_ms", "missing"},
		{valid("dwell_ms", -1), "dwell_ms", "out_of_range"},
		{valid("dwell_ms", 86_400_001), "dwell_ms", "out_of_range"},
		{valid("dwell_ms", "5"), "dwell_ms", "invalid"},
		{valid("device", strings.Repeat("x", 65)), "device", "too_long"},
		{valid("app_version", strings.Repeat("x", 33)), "app_version", "too_long"},
		{valid("feed_session", strings.Repeat("x", 513)), "feed_session", "too_long"},
		{valid("device", "a\x00b"), "device", "invalid"},
		{valid("app_version", "\x00"), "app_version", "invalid"},
		{valid("feed_session", "\x00"), "feed_session", "invalid"},
		{valid("device", true), "device", "invalid"},
	} {
		status, answer, _ := post(t, url, batchOf(t, c.event, valid()))
		require.Equal(t, http.StatusAccepted, status, answer)
		require.EqualValues(t, 1, answer["accepted"], "%v", c.event)
		rejected := answer["rejected"].([]any)
		require.Len(t, rejected, 1, "%v", c.event)
		r := rejected[0].(map[string]any)
		require.Equal(t, []any{0.0, c.field, c.code}, []any{r["index"], r["field"], r["code"]}, "%v", c.event)
		require.NotEmpty(t, r["reason"])
	}
	status, answer, _ := post(t, url, batchOf(t, valid("action", "x"), valid("post_id", nil)))
	require.Equal(t, http.StatusAccepted, status, "a batch of nothing but rejections is an answer, not an error")
	require.EqualValues(t, 0, answer["accepted"])
}

func TestWithoutKafkaTheAnswerIs503WithinTheDeadline(t *testing.T) {
	kafkaConfig := kafka.DefaultConfig()
	kafkaConfig.Brokers = []string{"127.0.0.1:1"}
	producer := kafka.NewProducer(kafkaConfig)
	defer func() { require.NoError(t, producer.Close()) }()
	cfg := DefaultConfig()
	cfg.ProduceTimeout = 500 * time.Millisecond
	url := serve(t, cfg, "events", producer)
	began := time.Now()
	status, answer, header := post(t, url, batchOf(t, valid()))
	require.Less(t, time.Since(began), 3*time.Second)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.EqualValues(t, core.CodeUnavailable, answer["code"])
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	require.NoError(t, err)
	require.Positive(t, seconds)
}

func TestTheAnswerHasTheNamesOfTheDocument(t *testing.T) {
	encoded, err := json.Marshal(Accepted{Rejected: []codec.Rejection{{}}})
	require.NoError(t, err)
	require.JSONEq(t, `{"accepted":0,"rejected":[{"index":0,"code":"","reason":""}]}`, string(encoded))
}
