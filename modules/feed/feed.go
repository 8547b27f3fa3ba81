package feed

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/absent"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/daily"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/recentedges"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/feed/token"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Feed makes feeds. It is safe for concurrent use.
type Feed struct {
	cfg         Config
	ranking     *rank.Live
	hot         *hot.Set
	recentEdges *recentedges.Edges
	absent      *absent.Set
	store       *store.Store
	graph       Graph
	fallback    Fallback
	weekly      Weekly
	direct      hot.Direct
	lists       lists
	guards      Guards
	filters     *filters.Set
	clock       core.Clock
	log         *zap.Logger
	metrics     *metrics
	served      *daily.Served
	cursors     *cursor.Codec
	tokens      *token.Signer

	workers       *worker.Group
	onDemandSlots chan struct{} // one for each that is being asked for
	singleflight  *singleflight
	dutyCycle     *worker.Rest
	local         localStates
	hides         *hides
	forgotten     func(context.Context) error
	sampledAt     atomic.Int64                 // nanoseconds since 1970: see sampleOverlap
	orders        *lru.Cache[orderKey, []byte] // for the next page while Redis is away, or has not got the order yet
	writes        chan orderWrite
	week          weekCache
	requests      sync.Pool // of *request
	works         sync.Pool // of *work
}

// Params are what a Feed is made of.
type Params struct {
	Config      Config
	Ranking     *rank.Live
	Hot         *hot.Set
	RecentEdges *recentedges.Edges
	Absent      *absent.Set // nil: nobody
	Store       *store.Store
	Graph       Graph
	Fallback    Fallback
	Weekly      Weekly
	Direct      hot.Direct
	Lists       Published
	Guards      Guards
	Filters     []filters.Filter // nil: all that there are
	Clock       core.Clock
	Registry    prometheus.Registerer
	Log         *zap.Logger

	// Forgotten has everybody's hides read from the raw events: more could not be written to Redis than can be
	// remembered. Nil does nothing.
	Forgotten func(context.Context) error
}

// New makes a feed that is not started yet.
func New(p Params) (*Feed, error) {
	orders, err := lru.New[orderKey, []byte](p.Config.Cache.LocalOrders)
	if err != nil {
		return nil, err
	}
	local, err := newLocalStates(p.Config.Cache.LocalStates)
	if err != nil {
		return nil, err
	}
	hidden, err := newHides(p.Config.Cache.LocalStates, p.Config.Store.MaxHidden)
	if err != nil {
		return nil, err
	}
	secrets, err := secretsOf(p.Config.CursorSecrets)
	if err != nil {
		return nil, err
	}
	if p.Forgotten == nil {
		p.Forgotten = func(context.Context) error { return nil }
	}
	if p.Filters == nil {
		p.Filters = filters.All()
	}
	if p.Guards.Limiter == nil {
		p.Guards.Limiter = Unguarded{}
	}
	workers := worker.NewGroup(worker.FailureFunc(func(name string, err error) {
		// one request's computation: the others go on
		p.Log.Error("feed worker", zap.String("worker", name), zap.Error(err))
	}))
	return &Feed{
		cfg: p.Config, ranking: p.Ranking, hot: p.Hot, recentEdges: p.RecentEdges, absent: p.Absent,
		store: p.Store, graph: p.Graph,
		fallback: p.Fallback, weekly: p.Weekly,
		direct: p.Direct, lists: lists{source: p.Lists}, onDemandSlots: make(chan struct{}, p.Config.Hot.ReplaceAtOnce),
		guards: p.Guards, filters: filters.NewSet(p.Filters, p.Registry), clock: p.Clock, log: p.Log,
		metrics: newMetrics(p.Registry), served: daily.NewServed(p.Store),
		cursors: cursor.NewCodec(secrets, p.Config.Store.SessionTTL, p.Clock), tokens: token.NewSigner(secrets),
		workers: workers, singleflight: newSingleflight(workers), dutyCycle: worker.NewRest(restFactor, 0),
		local: local, hides: hidden, forgotten: p.Forgotten, orders: orders,
		writes:   make(chan orderWrite, maxOrderWrites),
		requests: sync.Pool{New: func() any { return &request{} }},
		works:    sync.Pool{New: func() any { return newWork() }},
	}, nil
}

// secretsOf are the configured secrets, or a random one: then cursors hold in this process alone.
func secretsOf(configured []string) ([][]byte, error) {
	if len(configured) == 0 {
		random := make([]byte, 32)
		_, err := rand.Read(random)
		return [][]byte{random}, err
	}
	secrets := make([][]byte, len(configured))
	for i, s := range configured {
		secrets[i] = []byte(s)
	}
	return secrets, nil
}

// Start begins the work in the background.
func (f *Feed) Start(context.Context) error {
	for range orderWriters {
		f.workers.Go("keep the orders of sessions", f.writeOrders)
	}
	f.workers.Go("count pages by day", f.served.Run)
	f.workers.Go("follow published lists", f.followLists)
	f.workers.Go("write hides that redis did not take",
		func(ctx context.Context) error { return f.store.Pay(ctx, f.forgotten) })
	return nil
}

// Stop ends it and waits.
func (f *Feed) Stop(ctx context.Context) error { return f.workers.Stop(ctx) }

func (f *Feed) jittered(d time.Duration) time.Duration {
	spread := int64(d) * int64(f.cfg.Cache.Jitter) / 100
	return d - time.Duration(spread) + time.Duration(mathrand.Int64N(2*spread+1)) //nolint:gosec // spreads load, keeps no secret
}
