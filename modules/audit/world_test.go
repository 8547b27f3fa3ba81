package audit

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/consumer"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { stack.Main(m) }

// owners are the running consumer's.
type owners struct {
	*ledger.Owners
	late time.Duration
}

func (o owners) Lateness() time.Duration { return o.late }

// discard takes dead letters.
type discard struct{}

func (discard) Publish(context.Context, []kafka.DeadLetter) error { return nil }

// world is an events path with some days of events behind it.
type world struct {
	*stack.Stack
	cfg     Config
	events  events.Config
	owners  owners
	service *Service
	reg     *prometheus.Registry
	stop    func() // the consumer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		Stack: stack.New(t), cfg: DefaultConfig(), events: events.DefaultConfig(),
		reg: prometheus.NewRegistry(),
	}
	w.cfg.Settle = 0
	w.events.Partitions, w.events.Batch.MaxRows = 2, 20 // many ranges
	w.owners = owners{
		ledger.NewOwners(w.events.Log(), w.events.InsertTimeout, w.ClickHouse, core.SystemClock{}),
		w.events.AcceptedAge + w.events.Retention,
	}
	_, err := kafka.EnsureTopics(w.KafkaConfig, events.TopicSpecs(w.events, w.KafkaConfig), false)
	require.NoError(t, err)
	w.service = NewService(w.cfg, NewAuditor(w.cfg, w.ClickHouse, w.owners, core.SystemClock{}), w.Postgres,
		keyed{}, w.reg, zaptest.NewLogger(t))
	t.Cleanup(func() { require.NoError(t, w.service.Stop(context.Background())) })
	w.consume(t)
	w.fill(t)
	return w
}

func (w *world) consume(t testing.TB) {
	t.Helper()
	failure := worker.FailureFunc(func(name string, err error) { t.Errorf("%s: %v", name, err) })
	c := consumer.New(w.events.Consumer(), w.KafkaConfig, w.ClickHouse, discard{}, core.SystemClock{}, failure,
		prometheus.NewRegistry(), zaptest.NewLogger(t))
	require.NoError(t, c.Start(t.Context()))
	var once sync.Once
	w.stop = func() {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			require.NoError(t, c.Stop(ctx))
		})
	}
	t.Cleanup(w.stop)
}

// fill sends events of the last days, copies of them and some poison, and waits until all is applied.
func (w *world) fill(t *testing.T) {
	t.Helper()
	producer := kafka.NewProducer(w.KafkaConfig)
	defer func() { require.NoError(t, producer.Close()) }()
	rng := rand.New(rand.NewPCG(1, 2))
	topic := w.KafkaConfig.Topic(w.events.Topic)
	sent := 0
	for range 6 {
		var messages []*sarama.ProducerMessage
		for range 60 {
			e := core.Event{
				UserID: core.ID(1 + rng.IntN(50)), PostID: core.ID(1 + rng.IntN(30)),
				Action:      core.Actions()[rng.IntN(10)],
				OccurredAt:  time.Now().Add(-time.Hour - time.Duration(rng.Int64N(int64(40*time.Hour)))),
				ReceivedAt:  time.Now(),
				DwellMillis: uint32(1 + rng.IntN(100_000)), Device: "phone",
			}
			e.AuthorID = 1 + e.PostID%10
			for b := range e.ID {
				e.ID[b] = byte(rng.Uint32())
			}
			messages = append(messages, codec.Record(topic, e))
			if rng.IntN(10) == 0 {
				messages = append(messages, codec.Record(topic, e))
			}
			if rng.IntN(30) == 0 {
				poison := codec.Record(topic, e)
				poison.Value = sarama.StringEncoder("{")
				messages = append(messages, poison)
			}
		}
		sent += len(messages)
		require.NoError(t, producer.Send(t.Context(), messages...))
		wait.Until(t, func() bool {
			return w.count(t, "SELECT sum(rows + duplicates + dead_letters) AS n FROM event_ranges") == sent
		})
	}
}

func (w *world) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	require.NoError(t, w.ClickHouse.Write(t.Context(),
		clickhouse.Query{Name: "test", Query: ch.Query{Body: fmt.Sprintf(statement, args...)}}))
}

// count is the number n that a query gives.
func (w *world) count(t *testing.T, query string) int {
	t.Helper()
	var n proto.ColInt64
	require.NoError(t, w.ClickHouse.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
		Body: "SELECT toInt64(n) AS n FROM (" + query + ")", Result: proto.Results{{Name: "n", Data: &n}},
	}}))
	return int(n.Row(0))
}

func (w *world) audit(t testing.TB, repair bool) Report {
	t.Helper()
	r, err := w.service.Run(t.Context(), Options{Since: 72 * time.Hour, Repair: repair})
	require.NoError(t, err)
	return r
}

func kindsOf(r Report) map[Kind]uint64 {
	found := map[Kind]uint64{}
	for _, f := range r.Findings {
		found[f.Kind]++
	}
	return found
}
