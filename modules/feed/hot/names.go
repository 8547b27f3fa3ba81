package hot

import (
	"context"

	"github.com/feedrank/feedrank/modules/core"
)

// nameLoader has the names of posts and authors loaded, many at once.
type nameLoader struct {
	load LoadNames
	ids  []core.ID
}

const namesAtOnce = 20_000

func (n *nameLoader) add(ctx context.Context, post, author core.ID) {
	if !post.Derived() && !author.Derived() || n.load == nil {
		return
	}
	n.ids = append(n.ids, post, author)
	if len(n.ids) >= namesAtOnce {
		n.flush(ctx)
	}
}

func (n *nameLoader) flush(ctx context.Context) {
	if len(n.ids) > 0 {
		_ = n.load(ctx, n.ids) // they are asked for again when they are shown
		n.ids = n.ids[:0]
	}
}
