package events

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
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// groupName is the consumer group, without the prefix.
const groupName = "feedrank-events"

// consumerConfig is what a consumer needs to know.
type consumerConfig struct {
	Log
	OnLostOffsets  string // what to do when Kafka deleted what was not read: fail, earliest, latest
	RequireSession bool   // an impression counts only with a feed_session that was served to its user for its post
	InsertTimeout  time.Duration
	Batch          Batch
	Dedup          Dedup
}

// defaultConsumerConfig is the reference scale: 10M events a day.
func defaultConsumerConfig() consumerConfig {
	return consumerConfig{
		Log: DefaultLog(), OnLostOffsets: "fail", InsertTimeout: 15 * time.Second,
		Batch: Batch{MaxRows: 50_000, MaxBytes: 16 << 20, MaxAge: 100 * time.Millisecond, QueueBytes: 32 << 20},
		Dedup: defaultDedup(),
	}
}

// Consumer applies the events topic to ClickHouse, each event once. Every partition that Kafka gives
// us has a worker of its own; what happens to one does not hold up another.
type Consumer struct {
	cfg     consumerConfig
	kafka   kafka.Config
	topic   string
	letters DeadLetters
	applied Applied
	checked Sessions
	erased  Erased
	posts   *Posts
	steps   Steps
	clock   core.Clock
	log     *zap.Logger
	metrics *metrics
	workers *worker.Group
	owner   string
	ledger  *ledger

	group   atomic.Pointer[sarama.ConsumerGroup]
	markers atomic.Pointer[kafka.Markers]
	unlucky atomic.Bool // a worker of the last session failed

	regrouped atomic.Bool // see ledger
	mu        sync.Mutex
	origins   map[int32]origin
	memories  map[int32]memory // of partitions that were ours in the last session
}

var (
	_ sarama.ConsumerGroupHandler = (*Consumer)(nil)
	_ kafka.Joiner                = (*Consumer)(nil)
)

// Option changes a Consumer.
type Option func(*Consumer)

// WithApplied has somebody told of the events that were applied.
func WithApplied(a Applied) Option { return func(c *Consumer) { c.applied = a } }

// WithSessions has feed_session checked.
func WithSessions(s Sessions) Option { return func(c *Consumer) { c.checked = s } }

// WithPosts has authors and visibility looked up. Without it what clients say is believed.
func WithPosts(p *Posts) Option { return func(c *Consumer) { c.posts = p } }

// WithErased has what names erased people left out.
func WithErased(e Erased) Option { return func(c *Consumer) { c.erased = e } }

// WithSteps has somebody watch every step of every partition. For tests.
func WithSteps(s Steps) Option { return func(c *Consumer) { c.steps = s } }

// NewConsumer makes a consumer that does nothing before Start.
func NewConsumer(cfg consumerConfig, kafkaConfig kafka.Config, client *clickhouse.Client, letters DeadLetters, clock core.Clock,
	failure worker.Failure, reg prometheus.Registerer, log *zap.Logger, options ...Option,
) *Consumer {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	c := &Consumer{
		cfg: cfg, kafka: kafkaConfig, topic: kafkaConfig.Topic(cfg.Topic), letters: letters, erased: nobodyErased{}, steps: noSteps{},
		clock: clock, log: log.Named("events"), metrics: newMetrics(reg, clock), workers: worker.NewGroup(failure),
		owner: fmt.Sprintf("%s/%d", host, os.Getpid()), origins: map[int32]origin{}, memories: map[int32]memory{},
		ledger: newLedger(client, clock, cfg.InsertTimeout, cfg.Batch.MaxRows),
	}
	for _, option := range options {
		option(c)
	}
	return c
}

// check tells whether the consumer keeps up.
func (c *Consumer) check() error { return c.metrics.backlog.Check() }

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
	return c.withSurveyor(func(s surveyor) error {
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
			o, err := s.origin(partition)
			if err != nil {
				return err
			}
			last, known, err := c.ledgerOf(partition).position(ctx)
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
			c.origins[partition] = o
			c.mu.Unlock()
		}
		return nil
	})
}

// forgetAllBut frees the memory of partitions that are somebody else's now.
func (c *Consumer) forgetAllBut(partitions []int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.memories, func(id int32, _ memory) bool { return !slices.Contains(partitions, id) })
}

// withSurveyor asks Kafka on a connection of its own.
func (c *Consumer) withSurveyor(f func(surveyor) error) (err error) {
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
	return f(surveyor{client: client, admin: admin, group: c.kafka.Topic(groupName), topic: c.topic})
}

// checkPartitions refuses a topic that has not the partitions that the configuration says.
func (c *Consumer) checkPartitions(s surveyor) error {
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
	c.memories[id] = p.remembered()
	c.mu.Unlock()
	switch {
	case ctx.Err() != nil, errors.Is(err, errSessionEnded):
		return nil
	case errors.Is(err, errFenced):
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
func (c *Consumer) ledgerOf(partition int32) *partitionLedger {
	return c.ledger.of(c.cfg.Epoch, partition, c.cfg.Partitions, c.regrouped.Load())
}

func (c *Consumer) partition(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) *partition {
	id := claim.Partition()
	m := c.metrics.of(id)
	l := c.ledgerOf(id)
	one := map[string][]int32{c.topic: {id}}
	c.mu.Lock()
	o, before := c.origins[id], c.memories[id]
	delete(c.memories, id) // it is the worker's now
	c.mu.Unlock()
	p := &partition{
		id: id, topic: c.topic, cfg: c.cfg, owner: c.owner, ledger: l, origin: o,
		reader: newRecordReader(c.cfg.Log), dedup: newDedup(c.cfg.Dedup, l, m.dedup),
		letters: c.letters, applied: c.applied, sessions: c.checked, erased: c.erased, steps: c.steps, clock: c.clock, metrics: m,
		log:   c.log.With(zap.Int32("partition", id)),
		fence: fence{token: newToken()},
		queue: kafka.NewQueue(c.cfg.Batch.QueueBytes, c.clock,
			func() { m.pauses.Inc(); (*c.group.Load()).Pause(one) },
			func() { (*c.group.Load()).Resume(one) }),
		commit: func(next int64) {
			session.MarkOffset(c.topic, id, next, "")
			session.Commit()
		},
		survey: func() (o origin, err error) {
			err = c.withSurveyor(func(s surveyor) error {
				if err := c.checkPartitions(s); err != nil {
					return err
				}
				o, err = s.origin(id)
				return err
			})
			return o, err
		},
	}
	p.states = newStates(c.cfg.Dedup, c.cfg.RequireSession, p.dedup)
	p.posts, p.early = c.posts, newEarly()
	p.remember(before)
	return p
}
