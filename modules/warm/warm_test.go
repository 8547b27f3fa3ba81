package warm_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/warm"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) {
	stack.Main(m, embeddedtest.Only(embedded.ClickHouse, embedded.Postgres))
}

type world struct {
	*stack.Stack
	t     *testing.T
	cfg   warm.Config
	redis *redis.Client
	list  *warm.List
	rows  int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Stack: stack.New(t), t: t, cfg: warm.DefaultConfig()}
	w.cfg.Limit, w.cfg.Rate = 3, 1000
	w.redis = stack.Redis(t, w.RedisConfig)
	w.list = warm.NewList(w.cfg, w.ClickHouse, w.redis, core.SystemClock{})
	w.write("INSERT INTO partition_owners (fence, token, owner, claimed_at) VALUES (1, 7, 'test', now64(3))")
	return w
}

func (w *world) write(statement string) {
	w.t.Helper()
	require.NoError(w.t, w.ClickHouse.Write(context.Background(),
		clickhouse.Query{Name: "test", Query: ch.Query{Body: statement}}))
}

func (w *world) events(user, n int, ago time.Duration) {
	w.t.Helper()
	w.rows++
	w.write(fmt.Sprintf("INSERT INTO events (kafka_partition, user_id, event_id, post_id, author_id, action, occurred_at, received_at, epoch, kafka_offset, fence, token) "+
		"SELECT 0, %d, generateUUIDv4(), 1, 2, 'view', fromUnixTimestamp64Milli(%d), now64(3), 0, number + %d, 1, 7 FROM numbers(%d)", user, time.Now().Add(-ago).UnixMilli(), 1000*w.rows, n))
}

// warmed tells which users came.
type warmed struct {
	users chan core.ID
	fail  atomic.Bool
}

func (h *warmed) Warm(_ context.Context, user core.ID) error {
	h.users <- user
	if h.fail.Load() {
		return errors.New("no")
	}
	return nil
}

type load struct{ busy atomic.Bool }

func (l *load) Busy() bool { return l.busy.Load() }

func (w *world) start(h *warmed, l *load) *prometheus.Registry {
	w.t.Helper()
	reg := prometheus.NewRegistry()
	worker := warm.NewWorker(w.cfg, w.redis, h, l, core.SystemClock{}, reg, zap.NewNop())
	require.NoError(w.t, worker.Start(context.Background()))
	w.t.Cleanup(func() { require.NoError(w.t, worker.Stop(context.Background())) })
	return reg
}

func receive(t *testing.T, from <-chan core.ID) core.ID {
	t.Helper()
	select {
	case id := <-from:
		return id
	case <-time.After(20 * time.Second):
		t.Fatal("nobody was warmed")
	}
	return 0
}

func TestTheMostActiveAreWarmedOnceAmongAllReplicas(t *testing.T) {
	w := newWorld(t)
	w.events(10, 1, time.Minute)
	w.events(11, 9, time.Minute)
	w.events(12, 5, time.Minute)
	w.events(-13, 7, 50*time.Minute) // an account of the app's own, or a key that is a text
	w.events(14, 99, 3*time.Hour)
	require.NoError(t, w.list.Run(context.Background(), 2))
	h := &warmed{users: make(chan core.ID, 100)}
	w.start(h, &load{})
	w.start(h, &load{})
	require.ElementsMatch(t, []core.ID{11, -13, 12},
		[]core.ID{receive(t, h.users), receive(t, h.users), receive(t, h.users)})
	require.ErrorIs(t, w.list.Run(context.Background(), 1), redis.ErrFenced)
	require.NoError(t, w.list.Run(context.Background(), 2))
	receive(t, h.users)
}

func TestABusyReplicaWarmsNobodyUntilItIsFree(t *testing.T) {
	w := newWorld(t)
	w.events(10, 1, time.Minute)
	require.NoError(t, w.list.Run(context.Background(), 1))
	h, l := &warmed{users: make(chan core.ID, 100)}, &load{}
	l.busy.Store(true)
	reg := w.start(h, l)
	wait.Until(t, func() bool {
		n, err := testutil.GatherAndCount(reg, "feedrank_warm_users_total")
		return err == nil && n == 1
	})
	require.Empty(t, h.users)
	l.busy.Store(false)
	require.Equal(t, core.ID(10), receive(t, h.users))
}

func TestThePauseGrowsWhileWarmingFailsAndIsBounded(t *testing.T) {
	w := newWorld(t)
	w.cfg.SlowAfter, w.cfg.MaxPause = 20*time.Millisecond, 40*time.Millisecond
	for user := 10; user < 13; user++ {
		w.events(user, 1, time.Minute)
	}
	require.NoError(t, w.list.Run(context.Background(), 1))
	h := &warmed{users: make(chan core.ID, 100)}
	h.fail.Store(true)
	reg := w.start(h, &load{})
	for range 3 {
		receive(t, h.users)
	}
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == "feedrank_warm_pause_seconds" {
			require.InDelta(t, 0.04, f.GetMetric()[0].GetGauge().GetValue(), 0.001)
		}
	}
}

func TestWithoutRedisNobodyIsWarmedAndNothingBreaks(t *testing.T) {
	w := newWorld(t)
	w.redis.Close()
	require.Error(t, w.list.Run(context.Background(), 1))
	w.start(&warmed{users: make(chan core.ID, 100)}, &load{})
}
