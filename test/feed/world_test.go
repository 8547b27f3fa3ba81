package feed_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/absent"
	"github.com/feedrank/feedrank/modules/feed/candidates"
	"github.com/feedrank/feedrank/modules/feed/daily"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/httpapi"
	"github.com/feedrank/feedrank/modules/feed/published"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/recentedges"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/feed/tuning"
	"github.com/feedrank/feedrank/modules/feed/viewer"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/test/stack"
)

// world is a small social world in the real servers, and a feed over it. Its rows are written as the
// consumers write them; the feed is told of changes as the consumers tell it.
type world struct {
	*stack.Stack
	t           testing.TB
	clock       *movableClock
	cfg         feed.Config
	ranking     *rank.Live
	hot         *hot.Set
	feed        *feed.Feed
	signals     *viewer.Signals
	recentEdges *recentedges.Edges
	waiting     []func() // what the consumers will do once ClickHouse is back
	redis       *redis.Client
	server      *httpserver.Server
	client      http.Client
	version     int
	ownKeys     bool // edges have keys of their own: of one that is gone, the tail knows the row alone
	guards      guards.Guards
	filters     []filters.Filter // nil: those of the product
	optedOut    absent.OptedOut  // none until withOptOut
	names       graph.Names      // of the keys that are no integers
	tables      graph.Tables     // of the app
	registry    *prometheus.Registry
	lists       atomic.Pointer[map[string]published.List] // what the trending job has published
	away        struct{ clickhouse, postgres, redis gate }

	questions atomic.Int64 // that computations put to ClickHouse
}

// counted counts questions.
type counted struct {
	candidates.Graph
	n *atomic.Int64
}

func (c counted) Edges(ctx context.Context, viewer core.ID) ([]reserve.Author, []reserve.End, error) {
	c.n.Add(1)
	return c.Graph.Edges(ctx, viewer)
}

func (c counted) Affinity(ctx context.Context, viewer core.ID, weights rank.Affinity) (graph.Interactions, error) {
	c.n.Add(1)
	return c.Graph.Affinity(ctx, viewer, weights)
}

func (c counted) Marks(ctx context.Context, viewer core.ID, where graph.Where, since time.Time) (hidden,
	seen []store.Mark, err error,
) {
	c.n.Add(1)
	return c.Graph.Marks(ctx, viewer, where, since)
}

// movableClock is the machine's clock plus an offset.
type movableClock struct{ offset atomic.Int64 }

func (c *movableClock) Now() time.Time {
	return time.Now().UTC().Add(time.Duration(c.offset.Load()))
}
func (c *movableClock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// gate is a guard that a test can close: the server behind it is then away.
type gate struct {
	closed atomic.Bool
	calls  atomic.Int64
	hold   atomic.Pointer[chan struct{}] // calls wait until it is closed
}

var errAway = errors.New("away")

func (g *gate) Do(ctx context.Context, call func(context.Context) error) error {
	g.calls.Add(1)
	if g.closed.Load() {
		return errAway
	}
	if hold := g.hold.Load(); hold != nil {
		<-*hold
	}
	return call(ctx)
}

func newWorld(t testing.TB, users int, change ...func(*feed.Config)) *world {
	t.Helper()
	return worldOn(t, stack.New(t), users, change...)
}

func worldOn(t testing.TB, s *stack.Stack, users int, change ...func(*feed.Config)) *world {
	t.Helper()
	w := &world{Stack: s, t: t, clock: &movableClock{}, cfg: feed.DefaultConfig(), tables: graph.DefaultTables()}
	w.cfg.CursorSecrets = []string{"a secret of at least 32 bytes, for tests"}
	w.cfg.Explain = feed.Everybody
	patiently(&w.cfg)
	for _, f := range change {
		f(&w.cfg)
	}
	w.redis = stack.Redis(t, s.RedisConfig)
	w.start()
	w.ch("INSERT INTO partition_owners (fence, token, owner, claimed_at) VALUES (1, 7, 'test', now64(3))")
	w.sql("INSERT INTO users (id, name) SELECT i, 'user ' || i FROM generate_series(1, $1) i", users)
	return w
}

// patiently waits for every answer: a server that is merely slow, as on a busy machine, is what the
// tests of outages are about, and no others.
func patiently(cfg *feed.Config) {
	cfg.Budget, cfg.ComputeWait, cfg.ComputeBudget = 30*time.Second, 20*time.Second, 15*time.Second
}

// inTime answers within the product's own deadlines.
func inTime(cfg *feed.Config) {
	product := feed.DefaultConfig()
	cfg.Budget, cfg.ComputeWait, cfg.ComputeBudget = product.Budget, product.ComputeWait, product.ComputeBudget
}

// start makes a feed; again for a replica that was started anew.
func (w *world) start() {
	w.t.Helper()
	reg := prometheus.NewRegistry()
	w.registry = reg
	if w.guards.Redis == nil {
		w.guards = guards.Guards{ClickHouse: &w.away.clickhouse, Postgres: &w.away.postgres, Redis: &w.away.redis}
	}
	w.ranking = rank.NewLive(rank.DefaultConfig())
	source := hot.NewClickHouse(w.ClickHouse, core.CountedFromEvents()).KeepingOut(w.cfg.Labels.KeptOut())
	w.hot = hot.New(w.cfg.Hot, source, w.ranking, w.clock, hot.NewMetrics(reg), zap.NewNop())
	w.hot.KeepOut(w.cfg.Labels.KeptOut())
	w.followOptedOut()
	st := store.New(w.cfg.Store, w.redis)
	w.signals = viewer.NewSignals(st, reg).WithMutuals(w.tables.Posts.Mutuals)
	if w.recentEdges == nil { // a replica that starts anew reads what it had heard again
		w.recentEdges = recentedges.New(w.clock, prometheus.NewRegistry())
	}
	w.recentEdges.WithMutuals(w.tables.Posts.Mutuals)
	f, err := feed.New(feed.Params{
		Config: w.cfg, Ranking: w.ranking, Hot: w.hot, RecentEdges: w.recentEdges, Store: st,
		Graph: counted{graph.NewClickHouse(w.ClickHouse, core.CountedFromEvents(), core.SystemClock{}, w.cfg.MaxEdges,
			w.cfg.MaxAffinity).WithMutuals(w.tables.Posts.Mutuals), &w.questions},
		Fallback: graph.NewPostgres(w.Postgres, w.tables, w.cfg.MaxEdges, w.names),
		Weekly:   source, Direct: source,
		Lists: w, Names: ownNumbers{},
		Guards: w.guards, Filters: w.filters, Restricted: w.tables.Restricts(),
		People: absent.Sets{OptedOut: w.optedOut.Set}, Clock: w.clock, Registry: reg, Log: zap.NewNop(),
	})
	require.NoError(w.t, err)
	require.NoError(w.t, f.Start(context.Background()))
	w.t.Cleanup(func() { require.NoError(w.t, f.Stop(context.Background())) })
	w.feed = f
	tuner := tuning.New(w.Postgres, w.ranking, rank.DefaultConfig(), zap.NewNop())
	cfg := httpserver.DefaultConfig()
	cfg.Addr = "127.0.0.1:0"
	api := httpapi.NewAPI(f, w.cfg, w.clock)
	server := httpserver.New(cfg, slices.Concat(
		api.Routes(), httpapi.NewAdmin(f, w.ranking, tuner, stack.IntegerKeys{}).Routes(),
		httpapi.NewPreview(f, api, stack.IntegerKeys{}).Routes(),
		httpapi.NewDays(daily.NewClickHouse(w.ClickHouse), f, w.clock).Routes(),
	), userInHeader{}, userInHeader{}, nil, reg, zap.NewNop())
	require.NoError(w.t, server.Start(context.Background()))
	w.t.Cleanup(func() {
		w.client.CloseIdleConnections()
		require.NoError(w.t, server.Stop(context.Background()))
	})
	w.server = server
}

// ownNumbers has a page name by numbers what has another key: tests tell these apart.
type ownNumbers struct{ core.NoNames }

func (ownNumbers) Texts(_ context.Context, ids []core.ID) (map[core.ID]string, error) {
	texts := make(map[core.ID]string, len(ids))
	for _, id := range ids {
		texts[id] = id.String()
	}
	return texts, nil
}

// userInHeader takes the Authorization header for the user's id.
type userInHeader struct{}

func (userInHeader) Drain() {}

func (userInHeader) Authenticate(h http.Header) (httpserver.Principal, error) {
	id, err := core.ParseNumber(h.Get("Authorization"))
	if err != nil {
		return httpserver.Principal{}, core.Errorf(core.CodeUnauthenticated, "no token")
	}
	return httpserver.Principal{UserID: id, Admin: id == 1}, nil
}

// Trending implements published.Source.
func (w *world) Trending(_ context.Context, window string) (published.List, error) {
	if all := w.lists.Load(); all != nil {
		return (*all)[window], nil
	}
	return published.List{}, nil
}

// flush empties Redis.
func (w *world) flush() {
	w.t.Helper()
	conn, err := w.redis.Conn()
	require.NoError(w.t, err)
	require.NoError(w.t, conn.Do(context.Background(), conn.B().Flushall().Build()).Error())
}

// loseEverything ends the replica, so that it writes no more, empties Redis, and starts another.
func (w *world) loseEverything() {
	w.t.Helper()
	require.NoError(w.t, w.feed.Stop(context.Background()))
	w.flush()
	w.start()
	w.load()
}

// load brings the hot set up to date with ClickHouse.
func (w *world) load() {
	w.t.Helper()
	require.NoError(w.t, w.hot.Load(context.Background()))
}

func TestMain(m *testing.M) {
	stack.Main(m, embeddedtest.Only(embedded.ClickHouse, embedded.Postgres))
}
