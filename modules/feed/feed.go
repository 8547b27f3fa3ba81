package feed

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/absent"
	"github.com/feedrank/feedrank/modules/feed/candidates"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/daily"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/metrics"
	"github.com/feedrank/feedrank/modules/feed/ondemand"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/published"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/recentedges"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
	"github.com/feedrank/feedrank/modules/feed/stages"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/feed/token"
	"github.com/feedrank/feedrank/modules/feed/viewer"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Fallback answers from the app's own PostgreSQL.
type Fallback interface {
	candidates.Fallback
	Timeline(ctx context.Context, viewer core.ID, created int64, post core.ID, limit int) ([]core.Post, error)
	GroupTimeline(ctx context.Context, viewer core.ID, created int64, post core.ID, limit int) ([]core.Post, error)
	Recent(ctx context.Context, viewer core.ID, until time.Time, limit int) ([]core.Post, error)
	Posts(ctx context.Context, ids []core.ID) ([]core.Post, error)
}

var _ Fallback = (*graph.Postgres)(nil)

// Feed makes feeds. It is safe for concurrent use.
type Feed struct {
	cfg         Config
	ranking     *rank.Live
	hot         *hot.Set
	onDemand    *ondemand.Provider
	recentEdges *recentedges.Edges
	people      absent.Sets
	restricted  bool      // some posts are not for everybody
	keptOut     []core.ID // labels that keep posts out of discovery
	store       *store.Store
	memory      *viewer.Memory
	builder     *candidates.Builder
	fallback    Fallback
	relations   Relations // nil: nobody knows
	engaged     Engaged   // nil: nobody knows
	lists       *published.Lists
	week        *published.WeekCache
	guards      guards.Guards
	filters     *filters.Set
	cursors     *cursor.Codec
	tokens      *token.Signer
	orders      *orders
	clock       core.Clock
	metrics     *metrics.Metrics
	served      *daily.Served
	names       core.Names
	forgotten   func(context.Context) error
	workers     *worker.Group
	sampledAt   atomic.Int64 // nanoseconds since 1970: see sampleOverlap
	ways        ways
	requests    sync.Pool // of *request
}

// Params are what a Feed is made of.
type Params struct {
	Config      Config
	Ranking     *rank.Live
	Hot         *hot.Set
	RecentEdges *recentedges.Edges
	People      absent.Sets
	Restricted  bool // posts may have audiences
	Store       *store.Store
	Graph       candidates.Graph
	Fallback    Fallback
	Relations   Relations // nil: since when is not told
	Engaged     Engaged   // nil: a dry run does not tell the hit rate
	Weekly      published.Weekly
	Direct      hot.Direct
	Lists       published.Source
	Guards      guards.Guards
	Filters     []filters.Filter // nil: all that there are
	Names       core.Names       // nil: all keys are integers
	Clock       core.Clock
	Registry    prometheus.Registerer
	Log         *zap.Logger

	// Forgotten has everybody's hides read from the raw events: more could not be written to Redis than can be
	// remembered. Nil does nothing.
	Forgotten func(context.Context) error
}

// New makes a feed that is not started yet.
func New(p Params) (*Feed, error) {
	if p.Forgotten == nil {
		p.Forgotten = func(context.Context) error { return nil }
	}
	if p.Filters == nil {
		p.Filters = filters.All()
	}
	if p.Names == nil {
		p.Names = core.NoNames{}
	}
	if p.Guards.Limiter == nil {
		p.Guards.Limiter = guards.Unguarded{}
	}
	cfg, m := p.Config, metrics.New(p.Registry)
	orders, err := newOrders(cfg.Cache.LocalOrders, p.Guards.Redis, p.Store, m)
	if err != nil {
		return nil, err
	}
	memory, err := viewer.NewMemory(cfg.Cache.LocalStates, cfg.Store)
	if err != nil {
		return nil, err
	}
	secrets, err := token.Secrets(cfg.CursorSecrets)
	if err != nil {
		return nil, err
	}
	f := &Feed{
		cfg: cfg, ranking: p.Ranking, hot: p.Hot, recentEdges: p.RecentEdges, people: p.People, store: p.Store,
		restricted: p.Restricted, keptOut: cfg.Labels.KeptOut(),
		memory: memory, fallback: p.Fallback, relations: p.Relations, engaged: p.Engaged,
		lists: published.NewLists(p.Lists, cfg.ListsEvery, p.Guards.Redis, p.Hot.Suppress,
			m.RedisFailures.WithLabelValues("lists")),
		week:   published.NewWeekCache(p.Weekly, p.Guards.ClickHouse, cfg.Hot.ListPosts),
		guards: p.Guards, filters: filters.NewSet(p.Filters, p.Registry),
		cursors: cursor.NewCodec(secrets, cfg.Store.SessionTTL, p.Clock), tokens: token.NewSigner(secrets),
		orders: orders, clock: p.Clock, metrics: m, served: daily.NewServed(p.Store), names: p.Names,
		forgotten: p.Forgotten,
		workers: worker.NewGroup(worker.FailureFunc(func(name string, err error) {
			// one request's computation: the others go on
			p.Log.Error("feed worker", zap.String("worker", name), zap.Error(err))
		})),
		requests: sync.Pool{New: func() any { return &request{list: shortlist.New()} }},
	}
	f.onDemand = ondemand.New(ondemand.Params{
		Own: p.Hot, Direct: p.Direct, Lists: f.lists, ClickHouse: p.Guards.ClickHouse, Clock: p.Clock,
		Window: cfg.Hot.Window, Posts: 2 * cfg.ReserveSize, Groups: cfg.Sources.Groups.On(),
		AtOnce: cfg.Hot.ReplaceAtOnce, Provided: m.OnDemand,
	})
	seconds := stages.NewSeconds(p.Registry)
	f.builder = candidates.New(candidates.Params{
		Config: cfg.candidates(), Ranking: p.Ranking, Hot: p.Hot, OnDemand: f.onDemand, People: p.People,
		Store: p.Store, Names: p.Names,
		Memory: memory, Graph: p.Graph, Fallback: p.Fallback, Guards: p.Guards, Filters: f.filters,
		Workers: f.workers, Clock: p.Clock, Metrics: m, Seconds: seconds,
	})
	p.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "feedrank_feed_computations",
		Help: "Reserves that this replica is computing or writing to Redis.",
	}, func() float64 { return float64(f.builder.UnderWay()) }))
	f.ways = f.newWays(seconds)
	return f, nil
}

// Start begins the work in the background.
func (f *Feed) Start(context.Context) error {
	for range orderWriters {
		f.workers.Go("keep the orders of sessions", f.orders.write)
	}
	f.workers.Go("count pages by day", f.served.Run)
	f.workers.Go("follow published lists", f.lists.Follow)
	f.workers.Go("write hides that redis did not take",
		func(ctx context.Context) error { return f.store.Pay(ctx, f.forgotten) })
	return nil
}

// Stop ends it and waits.
func (f *Feed) Stop(ctx context.Context) error { return f.workers.Stop(ctx) }

// AppendPage appends the JSON of a page that this feed made: its secrets sign the cursor and the items.
func (f *Feed) AppendPage(b []byte, p *page.Page, detail page.Detail) []byte {
	return page.Append(b, p, detail, f.cursors, f.tokens)
}

// ServedOn is how many ranked pages were served on a day (UTC), by where they came from. today says that there may be
// some of this replica's own that are not counted in Redis yet.
func (f *Feed) ServedOn(ctx context.Context, day time.Time, today bool) (map[string]int64, error) {
	if today {
		_ = f.served.Flush(ctx) // without Redis, reading fails as well
	}
	counts, err := f.store.Served(ctx, day)
	if err != nil {
		f.metrics.RedisFailures.WithLabelValues("served").Inc()
	}
	return counts, err
}
