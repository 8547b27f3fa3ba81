package cdc_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/cdc/consumer"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/tables"
)

// patience is how long a test waits for what must come. It costs only where something is wrong, and
// a machine may be very busy.
const patience = 3 * time.Minute

// chain is everything between a commit and ClickHouse, in one test.
type chain struct {
	*stack.Stack
	t        testing.TB
	cfg      cdc.Config
	letters  *letters
	changes  *changes
	observer consumer.Observer // who is told; the changes, if a test does not say

	source   *source.Source
	consumer *consumer.Consumer
	sources  *prometheus.Registry
	reg      *prometheus.Registry
}

type letters struct {
	mu  sync.Mutex
	all []kafka.DeadLetter
}

func (l *letters) Publish(_ context.Context, more []kafka.DeadLetter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, more...)
	return nil
}

func (l *letters) list() []kafka.DeadLetter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]kafka.DeadLetter(nil), l.all...)
}

type changes struct {
	mu  sync.Mutex
	all []core.Change
}

func (c *changes) Changed(_ context.Context, more []core.Change) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, more...)
	return nil
}

func (c *changes) has(want core.Change) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, got := range c.all {
		if got.Kind == want.Kind && got.Viewer == want.Viewer && got.Other == want.Other &&
			got.Post.ID == want.Post.ID {
			return true
		}
	}
	return false
}

func newChain(t testing.TB) *chain {
	t.Helper()
	return configured(t, stack.New(t))
}

func configured(t testing.TB, servers *stack.Stack) *chain {
	t.Helper()
	c := &chain{Stack: servers, t: t, cfg: cdc.DefaultConfig(), letters: &letters{}, changes: &changes{}}
	c.observer = c.changes
	name := strings.TrimSuffix(c.KafkaConfig.TopicPrefix, ".")
	c.cfg.Source.Slot, c.cfg.Source.Publication = name, name
	c.cfg.Source.SnapshotRows = 100
	c.cfg.Source.HeartbeatInterval = 500 * time.Millisecond
	c.cfg.Source.MaxBackoff = time.Second
	c.cfg.Source.TableCheck = 200 * time.Millisecond
	c.cfg.Consumer.TopicCheck = time.Second
	return c
}

func (c *chain) makeTopics() {
	c.t.Helper()
	specs, err := cdc.TopicSpecs(c.cfg, c.KafkaConfig)
	require.NoError(c.t, err)
	_, err = kafka.EnsureTopics(c.KafkaConfig, specs, false)
	require.NoError(c.t, err)
}

func (c *chain) startSource() {
	c.t.Helper()
	c.sources = prometheus.NewRegistry()
	s, err := cdc.NewSource(c.cfg, c.KafkaConfig, source.Params{
		Postgres: c.PostgresConfig, Clock: core.SystemClock{}, Log: zaptest.NewLogger(c.t), Registerer: c.sources,
		Failure: c.failure(),
	})
	require.NoError(c.t, err)
	require.NoError(c.t, s.Start(c.t.Context()))
	c.source = s
	c.t.Cleanup(c.stopSource)
}

func (c *chain) stopSource() {
	if c.source != nil {
		c.stop(c.source.Stop)
		c.source = nil
	}
}

func (c *chain) startConsumer() {
	c.t.Helper()
	c.reg = prometheus.NewRegistry()
	consumer, err := cdc.NewConsumer(c.cfg, c.KafkaConfig, consumer.Params{
		ClickHouse: c.ClickHouse, Postgres: c.Postgres, DeadLetters: c.letters, Observer: c.observer,
		Clock: core.SystemClock{}, Log: zaptest.NewLogger(c.t), Registerer: c.reg, Failure: c.failure(),
	})
	require.NoError(c.t, err)
	require.NoError(c.t, consumer.Start(c.t.Context()))
	c.consumer = consumer
	c.t.Cleanup(c.stopConsumer)
}

func (c *chain) stopConsumer() {
	if c.consumer != nil {
		c.stop(c.consumer.Stop)
		c.consumer = nil
	}
}

func (c *chain) stop(stop func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(c.t, stop(ctx))
}

func (c *chain) failure() worker.Failure {
	return worker.FailureFunc(func(name string, err error) { c.t.Errorf("%s failed: %v", name, err) })
}

// start starts both ends.
func (c *chain) start() *chain {
	c.t.Helper()
	c.makeTopics()
	c.startSource()
	c.startConsumer()
	return c
}

// exec runs statements, each in a transaction of its own.
func (c *chain) exec(statements ...string) {
	c.t.Helper()
	for _, s := range statements {
		_, err := c.Postgres.Exec(c.t.Context(), s)
		require.NoError(c.t, err, s)
	}
}

func (c *chain) requireEqual() {
	c.t.Helper()
	requireEqualTables(c.t, c.Postgres, c.ClickHouse)
}

// world fills every table with a little.
func world(users int) string { return tables.World(users) }

// requireEqualTables waits until every table equals its original, and fails if that does not come.
func requireEqualTables(t testing.TB, pg *pgxpool.Pool, db *clickhouse.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last string
	for {
		diff, _, err := tables.Differences(ctx, pg, db)
		if err == nil && diff == "" {
			return
		}
		if err == nil {
			last = diff
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.Failf(t, "the tables differ", "after %s: %s (%v)", patience, last, err)
		}
	}
}
