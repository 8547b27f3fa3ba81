package candidates

import (
	"context"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// keptNames is of how many candidates the names are kept, and of their authors: ten pages.
const keptNames = 200

// namesOf are the keys that the first pages of a reserve name, as far as memory knows them, and before them the
// viewer's, who may not be here. Of integers there are none.
func (b *Builder) namesOf(ctx context.Context, viewer core.ID, r *reserve.Reserve) []string {
	var texts []string
	seen := map[core.ID]bool{}
	if viewer.Derived() {
		_, _ = b.names.Texts(ctx, []core.ID{viewer})
	}
	keep := func(id core.ID) {
		if !id.Derived() || seen[id] {
			return
		}
		seen[id] = true
		if text, ok := b.names.Text(id); ok {
			texts = append(texts, text)
		}
	}
	keep(viewer)
	for _, c := range r.Candidates[:min(len(r.Candidates), keptNames)] {
		keep(c.Post)
		keep(r.Authors[c.Author].ID)
	}
	return texts
}
