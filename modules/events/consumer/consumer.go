package consumer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
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

// WithObserver has somebody told of the events that were applied.
func WithObserver(a Observer) Option { return func(c *Consumer) { c.observer = a } }

// WithSessions has feed_session checked.
func WithSessions(s Sessions) Option { return func(c *Consumer) { c.sessions = s } }

// WithPosts has authors and visibility looked up. Without it what clients say is believed.
func WithPosts(p *Posts) Option { return func(c *Consumer) { c.posts = p } }

// WithErased has what names erased people left out.
func WithErased(e core.Erased) Option { return func(c *Consumer) { c.erased = e } }

// WithFailpoints has somebody watch every step of every partition. For tests.
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
		cfg: cfg, kafka: kafkaConfig, topic: kafkaConfig.Topic(cfg.Topic), deadLetters: letters, erased: core.NobodyErased{}, failpoints: noFailpoints{},
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
		return kafka.RunGroup(ctx, c.kafka, groupName, []string{c.topic}, c, c.log)
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

// Setup finds out where each partition of the session begins. The ledger decides; what Kafka has
// committed counts only where the ledger has nothing yet.
func (c *Consumer) Setup(session sarama.ConsumerGroupSession) error {
	c.metrics.rebalances.Inc()
	ctx := session.Context()
	if c.unlucky.Swap(false) {
		if err := worker.Pause(ctx, unluckyPause); err != nil {
			return err
		}
	}
	partitions := session.Claims()[c.topic]
	if len(partitions) == 0 {
		return nil
	}
	pause := retryPause()
	for {
		err := c.prepare(ctx, session, partitions)
		if err == nil || errors.Is(err, kafka.ErrStop) || ctx.Err() != nil {
			return err
		}
		c.log.Warn("prepare the partitions, trying again", zap.Error(err))
		if err := pause.Wait(ctx); err != nil {
			return err
		}
	}
}

const unluckyPause = 300 * time.Millisecond

func (c *Consumer) prepare(ctx context.Context, session sarama.ConsumerGroupSession, partitions []int32) error {
	return c.withOffsetReader(func(s offsetReader) error {
		if err := c.checkPartitions(s); err != nil {
			return err
		}
		regrouped, err := c.checkEpoch(ctx, s)
		if err != nil {
			return err
		}
		c.regrouped.Store(regrouped)
		c.forgetAllBut(partitions)
		for _, partition := range partitions {
			o, err := s.offsets(partition)
			if err != nil {
				return err
			}
			last, known, err := c.ledgerOf(partition).Position(ctx)
			if err != nil {
				return err
			}
			next := o.next
			if known {
				next = last + 1
			} else if next < o.oldest && c.cfg.OnLostOffsets == "fail" {
				// Committing anything for its neighbours would wipe out what we know.
				return fmt.Errorf("%w: %s/%d: offsets %d to %d were deleted before they were read;"+
					" set events.on_lost_offsets to earliest or latest", kafka.ErrStop, c.topic, partition, next, o.oldest-1)
			}
			start := o.start(next)
			session.MarkOffset(c.topic, partition, start, "")
			session.ResetOffset(c.topic, partition, start, "")
			c.mu.Lock()
			c.offsets[partition] = o
			c.mu.Unlock()
		}
		return nil
	})
}

// forgetAllBut frees the memory of partitions that are somebody else's now.
func (c *Consumer) forgetAllBut(partitions []int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.handoffs, func(id int32, _ handoff) bool { return !slices.Contains(partitions, id) })
}

// withOffsetReader asks Kafka on a connection of its own.
func (c *Consumer) withOffsetReader(f func(offsetReader) error) (err error) {
	config, err := c.kafka.Sarama()
	if err != nil {
		return err
	}
	client, err := sarama.NewClient(c.kafka.Brokers, config)
	if err != nil {
		return fmt.Errorf("kafka connect: %w", err)
	}
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		return errors.Join(fmt.Errorf("kafka connect: %w", err), client.Close())
	}
	defer func() { err = errors.Join(err, admin.Close()) }() // closes the client
	return f(offsetReader{client: client, admin: admin, group: c.kafka.Topic(groupName), topic: c.topic})
}

// checkPartitions refuses a topic that has not the partitions that the configuration says.
func (c *Consumer) checkPartitions(s offsetReader) error {
	n, err := s.partitions()
	if err != nil {
		return fmt.Errorf("partitions of %s: %w", c.topic, err)
	}
	if n != int(c.cfg.Partitions) {
		return fmt.Errorf("%w: topic %s has %d partitions, events.partitions is %d. Copies of one event meet only while that number stays:"+
			" for more partitions create a new topic, let the consumers finish this one, then set events.topic and events.partitions to the new one and raise events.epoch by one", kafka.ErrStop, c.topic, n, c.cfg.Partitions)
	}
	return nil
}

// ConsumeClaim runs the worker of one partition until the session ends. Kafka's client joins it before
// it begins the next session.
func (c *Consumer) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	ctx, cancel := context.WithCancel(session.Context())
	defer cancel()
	id := claim.Partition()
	defer c.metrics.forget(id)
	p := c.partition(session, claim)
	defer c.metrics.backlog.Watch(p.queue, claim, kafka.PartitionLabel(id))()
	c.markers.Load().Follow(ctx, p.queue, claim)

	var fetching sync.WaitGroup
	defer fetching.Wait()
	defer cancel()
	fetching.Go(func() {
		defer p.queue.Close()
		for {
			select {
			case m, ok := <-claim.Messages():
				if !ok {
					return
				}
				p.queue.Push(m)
			case <-ctx.Done():
				return
			}
		}
	})
	err := p.run(ctx)
	c.mu.Lock()
	c.handoffs[id] = p.handOff()
	c.mu.Unlock()
	switch {
	case ctx.Err() != nil, errors.Is(err, errSessionEnded):
		return nil
	case errors.Is(err, ledger.ErrFenced):
		c.log.Warn("another consumer has the partition", zap.Error(err))
	default:
		c.log.Error("a partition's worker ended", zap.Error(err))
	}
	c.unlucky.Store(true)
	return err
}

// Cleanup has nothing to do: the workers have ended.
func (c *Consumer) Cleanup(sarama.ConsumerGroupSession) error { return nil }

// ledgerOf is the ledger of a partition of this epoch.
func (c *Consumer) ledgerOf(partition int32) *ledger.Partition {
	return c.ledger.Partition(c.cfg.Epoch, partition, c.cfg.Partitions, c.regrouped.Load())
}

func (c *Consumer) partition(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) *partition {
	id := claim.Partition()
	m := c.metrics.of(id)
	l := c.ledgerOf(id)
	one := map[string][]int32{c.topic: {id}}
	c.mu.Lock()
	o, before := c.offsets[id], c.handoffs[id]
	delete(c.handoffs, id) // it is the worker's now
	c.mu.Unlock()
	p := &partition{
		id: id, topic: c.topic, cfg: c.cfg, owner: c.owner, ledger: l, offsets: o,
		reader: codec.NewDecoder(c.cfg.Log), dedup: dedup.NewIDs(c.cfg.Dedup, l, m.dedup),
		deadLetters: c.deadLetters, observer: c.observer, sessions: c.sessions, erased: c.erased, failpoints: c.failpoints, clock: c.clock, metrics: m,
		log:   c.log.With(zap.Int32("partition", id)),
		fence: ledger.Fence{Token: ledger.NewToken()},
		queue: kafka.NewQueue(c.cfg.Batch.QueueBytes, c.clock,
			func() { m.pauses.Inc(); (*c.group.Load()).Pause(one) },
			func() { (*c.group.Load()).Resume(one) }),
		commit: func(next int64) {
			session.MarkOffset(c.topic, id, next, "")
			session.Commit()
		},
		readOffsets: func() (o logOffsets, err error) {
			err = c.withOffsetReader(func(s offsetReader) error {
				if err := c.checkPartitions(s); err != nil {
					return err
				}
				o, err = s.offsets(id)
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
