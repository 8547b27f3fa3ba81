package candidates

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/absent"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/metrics"
	"github.com/feedrank/feedrank/modules/feed/ondemand"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
	"github.com/feedrank/feedrank/modules/feed/stages"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/feed/viewer"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Graph tells whom a viewer follows, bars and cares for, with two point reads in ClickHouse; and what
// they hid and saw, where Redis has lost that.
type Graph interface {
	Edges(ctx context.Context, viewer core.ID) ([]reserve.Author, []reserve.End, error)
	Affinity(ctx context.Context, viewer core.ID, weights rank.Affinity) (graph.Interactions, error)
	Marks(ctx context.Context, viewer core.ID, where graph.Where, since time.Time) (hidden, seen []store.Mark,
		err error)
}

// Fallback tells whom a viewer follows and bars from the app's own PostgreSQL.
type Fallback interface {
	Edges(ctx context.Context, viewer core.ID) ([]reserve.Author, error)
}

var _ Graph = (*graph.ClickHouse)(nil)

// Sources bound what each source of candidates gives.
type Sources struct {
	Followees   SourceConfig `koanf:"followees"`
	Affinity    SourceConfig `koanf:"affinity"`
	Groups      SourceConfig `koanf:"groups"` // of which the viewer is a member: see cdc.tables.member
	Trending    SourceConfig `koanf:"trending"`
	Popular     SourceConfig `koanf:"popular"`                                         // only where the others give fewer posts than its limit
	MaxAffinity int          `koanf:"max_affinity_authors" validate:"gte=1,lte=10000"` // authors that the affinity source looks at
}

// SourceConfig bounds one source.
type SourceConfig struct {
	Limit     int           `koanf:"limit" validate:"gte=0,lte=2000"`     // posts; 0 switches the source off
	PerAuthor int           `koanf:"per_author" validate:"gte=1,lte=500"` // posts of one author, or of one group, the latest
	Timeout   time.Duration `koanf:"timeout" validate:"gte=1ms,lte=30s"`  // a source that is late is left out
}

// On tells whether the source gives anything.
func (c SourceConfig) On() bool { return c.Limit > 0 }

// Config is what of the feed's configuration a reserve is built by.
type Config struct {
	Sources    Sources
	Store      store.Config
	Size       int           // candidates of a reserve
	Window     time.Duration // of the hot set
	Ahead      time.Duration // a post that is dated so far ahead, or less, is one of now
	Budget     time.Duration // of a computation, whoever waits for it
	TTL        time.Duration // of an entry
	PartialTTL time.Duration // of one that a source was missing for
	Jitter     int           // of TTL, percent
	LeaseWait  time.Duration // for another replica that computes
	MaxRefresh int           // computations under way, beyond which none begins ahead
	Labels     filters.LabelRules
}

// Params are what a builder is made of.
type Params struct {
	Config   Config
	Ranking  *rank.Live
	Hot      *hot.Set
	OnDemand *ondemand.Provider
	People   absent.Sets
	Store    *store.Store
	Names    core.Names // nil: all keys are integers
	Memory   *viewer.Memory
	Graph    Graph
	Fallback Fallback
	Guards   guards.Guards
	Filters  *filters.Set
	Workers  *worker.Group
	Clock    core.Clock
	Metrics  *metrics.Metrics
	Seconds  *stages.Seconds
}

// Builder builds reserves. It is safe for concurrent use.
type Builder struct {
	cfg          Config
	ranking      *rank.Live
	hot          *hot.Set
	onDemand     *ondemand.Provider
	people       absent.Sets
	store        *store.Store
	names        core.Names
	memory       *viewer.Memory
	graph        Graph
	fallback     Fallback
	guards       guards.Guards
	filters      *filters.Set
	clock        core.Clock
	metrics      *metrics.Metrics
	stages       *stages.Way[*computation]
	singleflight *singleflight
	dutyCycle    *worker.Rest
	lists        sync.Pool // of *shortlist.List
}

// New makes a builder.
func New(p Params) *Builder {
	if p.Names == nil {
		p.Names = core.NoNames{}
	}
	b := &Builder{
		cfg: p.Config, ranking: p.Ranking, hot: p.Hot, onDemand: p.OnDemand, people: p.People,
		store: p.Store, names: p.Names,
		memory: p.Memory, graph: p.Graph, fallback: p.Fallback, guards: p.Guards, filters: p.Filters, clock: p.Clock,
		metrics: p.Metrics, singleflight: newSingleflight(p.Workers),
		dutyCycle: worker.NewRest(core.SystemClock{}, restFactor, 0),
		lists:     sync.Pool{New: func() any { return shortlist.New() }},
	}
	b.stages = b.way(p.Seconds)
	return b
}

// Viewer is whose reserve is built: what Redis knew of them, and the tag of their entry.
type Viewer struct {
	ID    core.ID
	State store.State
	Tag   reserve.Tag
}

// Built is a reserve fresh from its sources. It is shared by all who waited for it: nobody
// changes it.
type Built struct {
	Reserve *reserve.Reserve
	Reports []stages.Report
	Stages  []stages.Record
	Hot     *hot.Set     // the one on demand that it was made of; nil: the replica's own
	Found   viewer.Found // marks of the viewer that Redis had lost
	Cached  bool         // another replica computed and saved it
	State   store.State  // as it was read together with the other replica's entry
	Order   []core.ID    // what it was cut from, best first, where that was asked for

	lease store.Lease // the right to save it; none where somebody else has it, or Redis is away
}

// Partial tells whether something failed and was left out.
func (b *Built) Partial() bool {
	return slices.ContainsFunc(b.Reports, func(r stages.Report) bool { return r.Err != nil })
}
