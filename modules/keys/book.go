package keys

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Guard lets a question to ClickHouse through, or says that it is away.
type Guard interface {
	Do(ctx context.Context, f func(context.Context) error) error
}

// Unguarded asks always.
type Unguarded struct{}

// Do implements Guard.
func (Unguarded) Do(ctx context.Context, f func(context.Context) error) error { return f(ctx) }

// Params are what a Book is made of.
type Params struct {
	Config     Config
	ClickHouse *clickhouse.Client
	Guard      Guard // of the questions of those who wait for an answer; nil: none
	Kept       Kept  // nil: nothing is kept
	Clock      core.Clock
	Registry   prometheus.Registerer
	Log        *zap.Logger
}

// Kept reads the keys that were kept beside what is cached of a user, their own among them: for when ClickHouse is
// away.
type Kept func(ctx context.Context, user core.ID) ([]string, error)

var (
	_ core.Admission = (*Book)(nil)
	_ core.Names     = (*Book)(nil)
)

// Book knows the texts of derived numbers. It is safe for concurrent use.
type Book struct {
	forms   core.KeyForms
	table   table
	guard   Guard
	kept    Kept
	clock   core.Clock
	log     *zap.Logger
	metrics *metrics
	workers *worker.Group

	held  *memory // texts of which ClickHouse says that they hold their number
	heard *memory // texts of which it has not been asked yet, or says nothing

	mu      sync.Mutex
	pending map[core.ID]*pending // of heard: to be compared
	told    map[core.Key]struct{}

	disputed sync.Map // core.ID: numbers that something else was known by; nothing is named by them
	disputes atomic.Int64

	reached func(failpoint) // in tests: a step of Admit was taken
}

// failpoint is a moment within Admit at which another consumer may come up.
type failpoint string

const atClaimed failpoint = "claimed"

// New makes a book. It asks nothing yet.
func New(p Params) *Book {
	if p.Guard == nil {
		p.Guard = Unguarded{}
	}
	if p.Kept == nil {
		p.Kept = func(context.Context, core.ID) ([]string, error) { return nil, nil }
	}
	b := &Book{
		forms: p.Config.Forms(), table: table{p.ClickHouse}, guard: p.Guard, kept: p.Kept, clock: p.Clock,
		log: p.Log.Named("keys"), workers: worker.NewGroup(nil),
		held: newMemory(p.Config.Remember), heard: newMemory(maxPending),
		pending: map[core.ID]*pending{}, told: map[core.Key]struct{}{},
		reached: func(failpoint) {},
	}
	b.metrics = newMetrics(p.Registry, b)
	return b
}

// Start begins to compare what was heard with ClickHouse.
func (b *Book) Start(context.Context) error {
	b.workers.Go("compare keys", b.compareHeard)
	return nil
}

// Stop ends it.
func (b *Book) Stop(ctx context.Context) error { return b.workers.Stop(ctx) }

// remember notes that a key holds its number.
func (b *Book) remember(k core.Key) {
	b.held.put(k.ID, k.Text)
	if _, ok := b.heard.get(k.ID); ok {
		b.settle(k.ID, k.Text)
	}
}

const maxTold = 10_000

// once tells whether something is to be said of a key: the first time, and of so many.
func (b *Book) once(k core.Key) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, told := b.told[k]; told || len(b.told) >= maxTold {
		return false
	}
	b.told[k] = struct{}{}
	return true
}
