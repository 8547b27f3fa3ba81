package suggest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/suggest"
	"github.com/feedrank/feedrank/test/stack"
)

// world is a service over the real servers.
type world struct {
	*stack.Stack
	t       testing.TB
	cfg     suggest.Config
	clock   *movableClock
	redis   *redis.Client
	store   *suggest.Store
	source  *suggest.ClickHouse
	service *suggest.Service
	metrics *prometheus.Registry
	gate    gate
	app     app
	erased  erased
	users   bool
	version int
}

// gate is a breaker that a test opens.
type gate struct{ open atomic.Bool }

func (g *gate) Open() bool { return g.open.Load() }

func (g *gate) Do(ctx context.Context, call func(context.Context) error) error {
	if g.open.Load() {
		return errors.New("away")
	}
	return call(ctx)
}

type movableClock struct{ offset atomic.Int64 }

func (c *movableClock) Now() time.Time          { return time.Now().UTC().Add(time.Duration(c.offset.Load())) }
func (c *movableClock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// app is what PostgreSQL says; the queries are the feed's, and are tested there.
type app struct {
	away   bool
	cut    bool
	edges  []suggest.Edge
	active []core.ID
}

func (a *app) Edges(context.Context, core.ID) ([]suggest.Edge, bool, error) {
	if a.away {
		return nil, false, errors.New("away")
	}
	return a.edges, !a.cut, nil
}
func (a *app) Active(context.Context, core.ID) ([]core.ID, error) { return a.active, nil }

func newWorld(t testing.TB, change ...func(*suggest.Config)) *world {
	t.Helper()
	w := &world{
		Stack: stack.New(t), t: t, cfg: suggest.DefaultConfig(), clock: &movableClock{},
		metrics: prometheus.NewRegistry(), erased: erased{},
	}
	w.cfg.Budget, w.cfg.NameOthers = 20*time.Second, true
	for _, f := range change {
		f(&w.cfg)
	}
	w.redis = stack.Redis(t, w.RedisConfig)
	w.store = suggest.NewStore(w.cfg, w.redis, w.clock)
	w.source = suggest.NewClickHouse(w.cfg, w.ClickHouse, core.CountedFromEvents())
	w.anew()
	return w
}

// metric is the value of a gauge without labels.
func (w *world) metric(t *testing.T, name string) float64 {
	t.Helper()
	families, err := w.metrics.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func (w *world) write(statement string) {
	w.t.Helper()
	require.NoError(w.t, w.ClickHouse.Write(context.Background(),
		clickhouse.Query{Name: "test", Query: ch.Query{Body: statement}}))
}

// edge is one row of the copy that the CDC consumer keeps.
type edge struct {
	from, to core.ID
	kind     string
	gone     bool
}

func (w *world) edges(all ...edge) {
	w.t.Helper()
	if len(all) == 0 {
		return
	}
	rows := make([]string, len(all))
	for i, e := range all {
		w.version++
		gone := 0
		if e.gone {
			gone = 1
		}
		rows[i] = fmt.Sprintf("(%d, '%s', %d, 'a', now64(6), %d, %d)", e.from, e.kind, e.to, w.version, gone)
	}
	w.write("INSERT INTO viewer_edges (viewer_id, kind, other_id, row_key, created_at, version, is_deleted) VALUES " +
		strings.Join(rows, ","))
}

func (w *world) follows(from core.ID, to ...core.ID) {
	w.t.Helper()
	all := make([]edge, len(to))
	for i, other := range to {
		all[i] = edge{from: from, to: other, kind: "follow"}
	}
	w.edges(all...)
}

func (w *world) likes(from, author core.ID, n int) {
	w.t.Helper()
	w.write(fmt.Sprintf("INSERT INTO user_author_90d (user_id, author_id, day, kafka_partition, likes) VALUES (%d, %d, today(), 0, %d)", from, author, n))
}

func (w *world) suggest(user core.ID) suggest.Answer {
	return w.service.Suggest(context.Background(), user, 50)
}

func users(a suggest.Answer) []core.ID {
	ids := make([]core.ID, len(a.Items))
	for i, item := range a.Items {
		ids[i] = item.User
	}
	return ids
}
