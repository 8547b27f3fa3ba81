package consumer

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/events/partition"
	"github.com/feedrank/feedrank/modules/events/posts"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/tracing"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Group is the consumer group, without the prefix.
const Group = "feedrank-events"

// Consumer applies the events topic to ClickHouse, each event once. Every partition that Kafka gives
// us has a worker of its own; what happens to one does not hold up another.
type Consumer struct {
	shared  partition.Shared
	kafka   kafka.Config
	log     *zap.Logger
	workers *worker.Group
	ledger  *ledger.Ledger

	group   atomic.Pointer[sarama.ConsumerGroup]
	markers atomic.Pointer[kafka.Markers]
	unlucky atomic.Bool // a worker of the last session failed

	regrouped atomic.Bool // see ledger
	mu        sync.Mutex
	offsets   map[int32]partition.LogOffsets
	handoffs  map[int32]partition.Handoff // of partitions that were ours in the last session
}

var (
	_ sarama.ConsumerGroupHandler = (*Consumer)(nil)
	_ kafka.Joiner                = (*Consumer)(nil)
)

// Option changes a Consumer.
type Option func(*Consumer)

// WithObserver has somebody notified of the events that were applied.
func WithObserver(o partition.Observer) Option { return func(c *Consumer) { c.shared.Observer = o } }

// WithSessions has feed_session checked.
func WithSessions(s partition.Sessions) Option { return func(c *Consumer) { c.shared.Sessions = s } }

// WithPosts has authors and visibility looked up. Without it what clients say is believed.
func WithPosts(p *posts.Posts) Option { return func(c *Consumer) { c.shared.Posts = p } }

// WithErased has what names erased people left out.
func WithErased(e core.Erased) Option { return func(c *Consumer) { c.shared.Erased = e } }

// WithKeys has keys admitted before they are stored. Without it all are integers.
func WithKeys(k core.Admission) Option { return func(c *Consumer) { c.shared.Keys = k } }

// WithTracer has batches traced whose events are.
func WithTracer(t *tracing.Tracer) Option { return func(c *Consumer) { c.shared.Tracer = t } }

// WithFailpoints has somebody watch every failpoint of every partition. For tests.
func WithFailpoints(f partition.Failpoints) Option {
	return func(c *Consumer) { c.shared.Failpoints = f }
}

// New makes a consumer that does nothing before Start.
func New(cfg partition.Config, kafkaConfig kafka.Config, client *clickhouse.Client, letters partition.DeadLetters,
	clock core.Clock, failure worker.Failure, reg prometheus.Registerer, log *zap.Logger, options ...Option,
) *Consumer {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	log = log.Named("events")
	c := &Consumer{
		shared: partition.Shared{
			Config: cfg, Topic: kafkaConfig.Topic(cfg.Topic), Owner: fmt.Sprintf("%s/%d", host, os.Getpid()),
			DeadLetters: letters, Clock: clock, Log: log, Metrics: partition.NewMetrics(reg, clock),
		},
		kafka: kafkaConfig, log: log, workers: worker.NewGroup(failure),
		ledger:  ledger.New(client, clock, cfg.InsertTimeout, cfg.Batch.MaxRows),
		offsets: map[int32]partition.LogOffsets{}, handoffs: map[int32]partition.Handoff{},
	}
	for _, option := range options {
		option(c)
	}
	return c
}

// Check tells whether the consumer keeps up.
func (c *Consumer) Check() error { return c.shared.Metrics.Backlog.Check() }

// Start joins the consumer group.
func (c *Consumer) Start(context.Context) error {
	c.workers.Go("events consumer", func(ctx context.Context) error {
		return kafka.RunGroup(ctx, c.kafka, Group, []string{c.shared.Topic}, c, c.shared.Clock, c.log)
	})
	return nil
}

// Stop leaves the group after what is being applied.
func (c *Consumer) Stop(ctx context.Context) error { return c.workers.Stop(ctx) }

// Joined keeps the group's client.
func (c *Consumer) Joined(group sarama.ConsumerGroup, markers *kafka.Markers) {
	c.group.Store(&group)
	c.markers.Store(markers)
}

// ledgerOf is the ledger of a partition of this epoch.
func (c *Consumer) ledgerOf(id int32) *ledger.Partition {
	return c.ledger.Partition(c.shared.Config.Epoch, id, c.shared.Config.Partitions, c.regrouped.Load())
}

// worker makes the worker of a partition that the session has claimed.
func (c *Consumer) worker(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) *partition.Worker {
	id := claim.Partition()
	c.mu.Lock()
	offsets, before := c.offsets[id], c.handoffs[id]
	delete(c.handoffs, id) // it is the worker's now
	c.mu.Unlock()
	return partition.New(c.shared, partition.Claim{
		ID: id, Ledger: c.ledgerOf(id), Offsets: offsets,
		Queue: kafka.NewClaimQueue(*c.group.Load(), claim, c.shared.Config.Batch.QueueBytes, c.shared.Clock,
			c.shared.Metrics.Pauses.Inc),
		Commit: func(next int64) {
			session.MarkOffset(c.shared.Topic, id, next, "")
			session.Commit()
		},
		ReadOffsets: func() (o partition.LogOffsets, err error) {
			err = kafka.WithOffsetReader(c.kafka, func(r kafka.OffsetReader) error {
				if err := c.checkPartitions(r); err != nil {
					return err
				}
				o, err = c.readOffsets(r, id)
				return err
			})
			return o, err
		},
	}, before)
}
