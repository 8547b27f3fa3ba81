package suggest

import (
	"context"

	"github.com/feedrank/feedrank/modules/core"
)

// Edge is somebody to whom the viewer stands in a relation already. Nobody of them is suggested.
type Edge struct {
	Other   core.ID
	Follows bool // the viewer follows them; else one of the two blocks, or the viewer mutes
}

// Counted is somebody, how many people speak for them, and some of these.
type Counted struct {
	User  core.ID
	Count int64
	Some  []core.ID
	Done  int64 // what they did with the user's posts, weighted; 0 where that is not asked
}

// Source knows who is near to whom.
type Source interface {
	// Edges are the viewer's, the newest follows first, at most Config.MaxEdges; with among, only those
	// to these people.
	Edges(ctx context.Context, viewer core.ID, among []core.ID) ([]Edge, error)
	// Followed and Engaged count whom the seeds follow, and whose posts they care for, most first.
	Followed(ctx context.Context, seeds []core.ID, limit int) ([]Counted, error)
	Engaged(ctx context.Context, seeds []core.ID, limit int) ([]Counted, error)
	// Gone tells which of these people are deleted.
	Gone(ctx context.Context, users []core.ID) ([]core.ID, error)
}

// Fallback is what the app's own database says while the source is away.
type Fallback interface {
	// Edges are all of the viewer's; complete is false if there are more than can be read.
	Edges(ctx context.Context, viewer core.ID) (edges []Edge, complete bool, err error)
	// Active are people who posted lately.
	Active(ctx context.Context, viewer core.ID) ([]core.ID, error)
}

// Gate bounds the calls of a server, and stops them while it fails.
type Gate interface {
	Do(ctx context.Context, call func(context.Context) error) error
	Open() bool // a call would be refused now
}

// AlwaysAsk is the Gate of those who have no breaker.
type AlwaysAsk struct{}

// Do calls.
func (AlwaysAsk) Do(ctx context.Context, call func(context.Context) error) error { return call(ctx) }

// Open is never true.
func (AlwaysAsk) Open() bool { return false }

// Gates are those of the source and of Redis.
type Gates struct{ Source, Redis Gate }
