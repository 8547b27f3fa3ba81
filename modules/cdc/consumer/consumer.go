package consumer

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Observer is notified of changes once ClickHouse has them, at least once each.
type Observer interface {
	Changed(ctx context.Context, changes []core.Change) error
}

// Consumer copies the app's tables from Kafka to ClickHouse.
type Consumer struct {
	target
	kafka   kafka.Config
	mapping *mapping.Mapping
	rejects *rejects
	workers *worker.Group
	parked  parked

	mu     sync.Mutex
	topics map[string]kafka.Topic // as the current session found them
}

// target is what batches are written with: the writers of all topics share it.
type target struct {
	cfg         Config
	db          *clickhouse.Client
	pg          *pgxpool.Pool
	deadLetters DeadLetters
	observer    Observer
	erased      core.Erased
	keys        core.Admission
	clock       core.Clock
	log         *zap.Logger
	metrics     *metrics
	turns       chan struct{} // bounds the batches that are written at once
}

// Params are what a Consumer needs.
type Params struct {
	Config      Config
	Mapping     *mapping.Mapping
	Kafka       kafka.Config
	ClickHouse  *clickhouse.Client
	Postgres    *pgxpool.Pool // the app's database, for what the log does not tell
	DeadLetters DeadLetters
	Observer    Observer
	Erased      core.Erased    // nil: nobody is
	Keys        core.Admission // nil: all keys are integers
	Clock       core.Clock
	Log         *zap.Logger
	Registerer  prometheus.Registerer
	Failure     worker.Failure
}

// New makes a consumer. Start starts it.
func New(p Params) *Consumer {
	if p.Erased == nil {
		p.Erased = core.NobodyErased{}
	}
	if p.Keys == nil {
		p.Keys = core.AllAdmitted{}
	}
	metrics := newMetrics(p.Registerer, p.Clock)
	for _, table := range p.Mapping.Tables() { // an alert sees an increase only of what was there before
		for _, reason := range envelope.Reasons() {
			metrics.deadLetters.WithLabelValues(table, reason)
		}
		metrics.fails.WithLabelValues(table).Set(0)
	}
	return &Consumer{
		target: target{
			cfg: p.Config, db: p.ClickHouse, pg: p.Postgres, deadLetters: p.DeadLetters, observer: p.Observer,
			erased: p.Erased, keys: p.Keys, clock: p.Clock, log: p.Log.Named("cdc"), metrics: metrics,
			turns: make(chan struct{}, p.Config.Inserts),
		},
		kafka: p.Kafka, mapping: p.Mapping, rejects: newRejects(metrics.fails, p.Log),
		workers: worker.NewGroup(p.Failure),
	}
}

// Start joins the consumer group, in the background.
func (c *Consumer) Start(context.Context) error {
	c.workers.Go("cdc-consumer", c.run)
	drift := schema.Drift{Postgres: c.pg, Mapping: c.mapping, Mismatches: c.metrics.drift, Clock: c.clock, Log: c.log}
	c.workers.Go("cdc-schema", drift.Watch)
	return nil
}

// Stop leaves the group after the batches that are being written. What was read and not applied is
// read again by whoever comes next.
func (c *Consumer) Stop(ctx context.Context) error { return c.workers.Stop(ctx) }

// Probe tells of tables whose records are all refused, of partitions that wait for their connector to be set right,
// and of those in which nothing is applied.
func (c *Consumer) Probe(context.Context) error {
	return errors.Join(c.rejects.probe(), c.parked.check(), c.metrics.backlog.Check())
}

// run is a member of the group. It joins anew when a topic begins a new incarnation, which sarama would not
// notice.
func (c *Consumer) run(ctx context.Context) error {
	for ctx.Err() == nil {
		membership, renew := context.WithCancel(ctx)
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			c.watch(membership, renew)
		}()
		err := kafka.RunGroup(membership, c.kafka, c.cfg.Group, c.mapping.Topics(), &handler{consumer: c}, c.clock,
			c.log)
		renew()
		<-watched
		if errors.Is(err, kafka.ErrStop) {
			return err
		}
	}
	return ctx.Err()
}

// watch ends a membership when a topic is no longer as the session found it: it was made anew or grew.
func (c *Consumer) watch(ctx context.Context, renew func()) {
	tick := time.NewTicker(c.cfg.TopicCheck)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now, err := kafka.DescribeTopics(c.kafka, c.mapping.Topics())
		if err != nil {
			c.log.Warn("look for topics that were made anew", zap.Error(err))
			continue
		}
		if topic := c.changed(now); topic != "" {
			c.log.Warn("a topic was made anew or grew; if it was written to meanwhile, run `feedrank resync`",
				zap.String("topic", topic))
			renew()
			return
		}
	}
}

// found notes how a session found its topics.
func (c *Consumer) found(topics map[string]kafka.Topic) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.topics = topics
}

// changed names a topic that is not as the session found it.
func (c *Consumer) changed(now map[string]kafka.Topic) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic, before := range c.topics {
		if state := now[topic]; before.ID != state.ID || len(before.Ends) != len(state.Ends) {
			return topic
		}
	}
	return ""
}

// Config sets the copying into ClickHouse.
type Config struct {
	Group        string        `koanf:"group" validate:"required,topic"`
	BatchRows    int           `koanf:"batch_rows" validate:"gte=1,lte=1000000"`             // records
	BatchBytes   int           `koanf:"batch_bytes" validate:"gte=1024,lte=268435456"`       // bytes of records
	QueueBytes   int           `koanf:"queue_bytes" validate:"gte=1024,lte=268435456"`       // of a partition, fetched while a batch is applied; beyond, fetching it pauses
	BatchAge     time.Duration `koanf:"batch_age" validate:"gte=1ms,lte=10s"`                // the first record of a batch waits no longer
	Inserts      int           `koanf:"inserts" validate:"gte=1,lte=64"`                     // batches written at once
	Deadline     time.Duration `koanf:"deadline" validate:"gte=1s,lte=10m"`                  // a batch that takes longer is begun anew
	TopicCheck   time.Duration `koanf:"topic_check" validate:"gte=1s,lte=1h"`                // how often to look whether a topic was made anew or grew
	OnLostOffset string        `koanf:"on_lost_offset" validate:"oneof=fail earliest"`       // when the log no longer has the next record
	OnForeign    string        `koanf:"on_foreign_format" validate:"oneof=wait dead_letter"` // when a connector writes what is no JSON; dead_letter: run resync after it
}

// DefaultConfig applies batches of a few thousand records, four at once.
func DefaultConfig() Config {
	return Config{
		Group: "cdc-consumer", BatchRows: 5000, BatchBytes: 8 << 20, QueueBytes: 4 << 20,
		BatchAge: 50 * time.Millisecond, Inserts: 4,
		Deadline: time.Minute, TopicCheck: 10 * time.Second, OnLostOffset: "fail", OnForeign: "wait",
	}
}
