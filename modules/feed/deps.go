package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// Graph tells whom a viewer follows, bars and cares for, with two point reads in ClickHouse; and what
// they hid and saw, where Redis has lost that.
type Graph interface {
	Edges(ctx context.Context, viewer core.ID) ([]reserve.Author, error)
	Affinity(ctx context.Context, viewer core.ID, weights rank.Affinity) (graph.Interactions, error)
	Marks(ctx context.Context, viewer core.ID, where graph.Where, since time.Time) (hidden, seen []store.Mark,
		err error)
}

// Fallback answers from the app's own PostgreSQL.
type Fallback interface {
	Edges(ctx context.Context, viewer core.ID) ([]reserve.Author, error)
	Timeline(ctx context.Context, viewer core.ID, created int64, post core.ID, limit int) ([]core.Post, error)
	Recent(ctx context.Context, viewer core.ID, limit int) ([]core.Post, error)
	Posts(ctx context.Context, ids []core.ID) ([]core.Post, error)
}

var (
	_ Graph    = (*graph.ClickHouse)(nil)
	_ Fallback = (*graph.Postgres)(nil)
)

// Guard bounds the calls of a dependency and stops them while it fails.
type Guard interface {
	Do(ctx context.Context, call func(context.Context) error) error
}

// Guards are those of the dependencies, and of the replica itself.
type Guards struct {
	ClickHouse, Postgres, Redis Guard
	Limiter                     ComputeLimiter
}

// ComputeLimiter says whether the replica has room for what costs more than a cached feed.
type ComputeLimiter interface {
	Compute() error // its error is for the client; Computed must follow if there is none
	Computed()
	Overloaded() bool // what nobody waits for should not begin
}

// Unguarded calls without bounds: what stands in where breakers or admission are switched off.
type Unguarded struct{}

// Do calls.
func (Unguarded) Do(ctx context.Context, call func(context.Context) error) error { return call(ctx) }

// Compute says that there is room.
func (Unguarded) Compute() error { return nil }

// Computed ends what Compute let begin.
func (Unguarded) Computed() {}

// Overloaded says that there is time for everything.
func (Unguarded) Overloaded() bool { return false }
