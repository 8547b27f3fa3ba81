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

// Counted is somebody, and how many people speak for them.
type Counted struct {
	User  core.ID
	Count int64
}

// Source knows who is near to whom.
type Source interface {
	// Edges are the viewer's, the newest follows first, at most Config.MaxEdges; with among, only those
	// to these people.
	Edges(ctx context.Context, viewer core.ID, among []core.ID) ([]Edge, error)
	// Circles are those of some people, as far as they have one, and with beside of others, too, who cost
	// little more. They are not whole if there was more to read than Config.MaxRows.
	Circles(ctx context.Context, people []core.ID, beside bool) (found map[core.ID]Circle, whole bool, err error)
	// Gone tells which of these people are deleted.
	Gone(ctx context.Context, users []core.ID) ([]core.ID, error)
	// Existing tells which of these people are there, and not deleted.
	Existing(ctx context.Context, users []core.ID) ([]core.ID, error)
	// Suspects are people who were deleted once, and may be still; some of them if there are more than limit.
	Suspects(ctx context.Context, limit int) ([]core.ID, error)
}

// Fallback is what the app's own database says while the source is away.
type Fallback interface {
	// Edges are all of the viewer's; complete is false if there are more than can be read.
	Edges(ctx context.Context, viewer core.ID) (edges []Edge, complete bool, err error)
	// Active are people who posted lately.
	Active(ctx context.Context, viewer core.ID) ([]core.ID, error)
}

// LeftOut tells whether somebody is suggested to nobody, whatever was computed before.
type LeftOut func(user core.ID) bool

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
