package consumer

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/dedup"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// groupName is the consumer group, without the prefix.
const groupName = "feedrank-events"

// Config is what a consumer needs to know.
type Config struct {
	codec.Log
	OnLostOffsets  string // what to do when Kafka deleted what was not read: fail, earliest, latest
	RequireSession bool   // an impression counts only with a feed_session that was served to its user for its post
	InsertTimeout  time.Duration
	Batch          Batch
	Dedup          dedup.Config
}

// DefaultConfig is the reference scale: 10M events a day.
func DefaultConfig() Config {
	return Config{
		Log: codec.DefaultLog(), OnLostOffsets: "fail", InsertTimeout: 15 * time.Second,
		Batch: Batch{MaxRows: 50_000, MaxBytes: 16 << 20, MaxAge: 100 * time.Millisecond, QueueBytes: 32 << 20},
		Dedup: dedup.DefaultConfig(),
	}
}

// Consumer applies the events topic to ClickHouse, each event once. Every partition that Kafka gives
// us has a worker of its own; what happens to one does not hold up another.
type Consumer struct {
	cfg         Config
	kafka       kafka.Config
	topic       string
	deadLetters DeadLetters
	observer    Observer
	sessions    Sessions
	erased      core.Erased
	posts       *Posts
	failpoints  Failpoints
	clock       core.Clock
	log         *zap.Logger
	metrics     *metrics
	workers     *worker.Group
	owner       string
	ledger      *ledger.Ledger

	group   atomic.Pointer[sarama.ConsumerGroup]
	markers atomic.Pointer[kafka.Markers]
	unlucky atomic.Bool // a worker of the last session failed

	regrouped atomic.Bool // see ledger
	mu        sync.Mutex
	offsets   map[int32]logOffsets
	handoffs  map[int32]handoff // of partitions that were ours in the last session
}

var (
	_ sarama.ConsumerGroupHandler = (*Consumer)(nil)
	_ kafka.Joiner                = (*Consumer)(nil)
)

// Option changes a Consumer.
type Option func(*Consumer)

// WithObserver has somebody notified of the events that were applied.
func WithObserver(a Observer) Option { return func(c *Consumer) { c.observer = a } }

// WithSessions has feed_session checked.
func WithSessions(s Sessions) Option { return func(c *Consumer) { c.sessions = s } }

// WithPosts has authors and visibility looked up. Without it what clients say is believed.
func WithPosts(p *Posts) Option { return func(c *Consumer) { c.posts = p } }

// WithErased has what names erased people left out.
func WithErased(e core.Erased) Option { return func(c *Consumer) { c.erased = e } }

// WithFailpoints has somebody watch every failpoint of every partition. For tests.
func WithFailpoints(s Failpoints) Option { return func(c *Consumer) { c.failpoints = s } }

// New makes a consumer that does nothing before Start.
func New(cfg Config, kafkaConfig kafka.Config, client *clickhouse.Client, letters DeadLetters, clock core.Clock,
	failure worker.Failure, reg prometheus.Registerer, log *zap.Logger, options ...Option,
) *Consumer {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	c := &Consumer{
		cfg: cfg, kafka: kafkaConfig, topic: kafkaConfig.Topic(cfg.Topic), deadLetters: letters,
		erased: core.NobodyErased{}, failpoints: noFailpoints{},
		clock: clock, log: log.Named("events"), metrics: newMetrics(reg, clock), workers: worker.NewGroup(failure),
		owner: fmt.Sprintf("%s/%d", host, os.Getpid()), offsets: map[int32]logOffsets{}, handoffs: map[int32]handoff{},
		ledger: ledger.New(client, clock, cfg.InsertTimeout, cfg.Batch.MaxRows),
	}
	for _, option := range options {
		option(c)
	}
	return c
}

// Check tells whether the consumer keeps up.
func (c *Consumer) Check() error { return c.metrics.backlog.Check() }

// Start joins the consumer group.
func (c *Consumer) Start(context.Context) error {
	c.workers.Go("events consumer", func(ctx context.Context) error {
		return kafka.RunGroup(ctx, c.kafka, groupName, []string{c.topic}, c, c.clock, c.log)
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
func (c *Consumer) ledgerOf(partition int32) *ledger.Partition {
	return c.ledger.Partition(c.cfg.Epoch, partition, c.cfg.Partitions, c.regrouped.Load())
}

func (c *Consumer) partition(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) *partition {
	id := claim.Partition()
	m := c.metrics.of(id)
	l := c.ledgerOf(id)
	c.mu.Lock()
	o, before := c.offsets[id], c.handoffs[id]
	delete(c.handoffs, id) // it is the worker's now
	c.mu.Unlock()
	p := &partition{
		id: id, topic: c.topic, cfg: c.cfg, owner: c.owner, ledger: l, offsets: o,
		reader: codec.NewDecoder(c.cfg.Log), dedup: dedup.NewIDs(c.cfg.Dedup, l, m.dedup),
		deadLetters: c.deadLetters, observer: c.observer, sessions: c.sessions, erased: c.erased,
		failpoints: c.failpoints, clock: c.clock, metrics: m,
		log:   c.log.With(zap.Int32("partition", id)),
		fence: ledger.Fence{Token: ledger.NewToken()},
		queue: kafka.NewClaimQueue(*c.group.Load(), claim, c.cfg.Batch.QueueBytes, c.clock, m.pauses.Inc),
		commit: func(next int64) {
			session.MarkOffset(c.topic, id, next, "")
			session.Commit()
		},
		readOffsets: func() (o logOffsets, err error) {
			err = kafka.WithOffsetReader(c.kafka, func(r kafka.OffsetReader) error {
				if err := c.checkPartitions(r); err != nil {
					return err
				}
				o, err = c.readOffsets(r, id)
				return err
			})
			return o, err
		},
	}
	p.states = dedup.NewStates(c.cfg.Dedup, c.cfg.RequireSession, p.dedup)
	p.posts, p.unresolved = c.posts, newUnresolvedPosts()
	p.takeOver(before)
	return p
}
