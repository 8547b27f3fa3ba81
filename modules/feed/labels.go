package feed

import (
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/candidates"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// LabelConfig says what labels of posts do: see cdc.tables.post.labels.
type LabelConfig struct {
	DiscoveryHides  []string `koanf:"discovery_hides" validate:"max=64,dive,min=1,max=64"` // labels that keep a post out of trending and popular posts, and from who neither follows its author nor is in its group
	UnknownLanguage string   `koanf:"unknown_language" validate:"oneof=show hide"`         // whether lang= of a request also means posts whose column of the language is empty
}

// What becomes of posts in no known language where a language is asked for.
const (
	Show = "show"
	Hide = "hide"
)

// KeptOut are the labels that keep a post out of discovery, ascending.
func (c LabelConfig) KeptOut() []core.ID { return core.LabelIDs(c.DiscoveryHides) }

// Narrowing is what a request asks for: a post has one of the labels, and is in one of the languages. An empty one asks
// for nothing.
type Narrowing struct {
	Labels    []string
	Languages []string
}

// wanted are the sets of labels of which a post must have one each.
func (n Narrowing) wanted(c LabelConfig) (sets [][]core.ID) {
	if len(n.Labels) > 0 {
		sets = append(sets, core.LabelIDs(n.Labels))
	}
	if len(n.Languages) > 0 {
		languages := make([]string, 0, len(n.Languages)+1)
		for _, language := range n.Languages {
			languages = append(languages, core.LanguagePrefix+language)
		}
		if c.UnknownLanguage == Show {
			languages = append(languages, core.UnknownLanguage)
		}
		sets = append(sets, core.LabelIDs(languages))
	}
	return sets
}

// hash tells narrowings apart in cursors; 0 is none.
func (n Narrowing) hash() uint64 {
	sum := uint64(0)
	for of, texts := range [][]string{n.Labels, n.Languages} {
		for _, id := range core.LabelIDs(texts) {
			sum = (core.ID(sum) + id + core.ID(of)).Hash()
		}
	}
	return sum
}

// narrowed tells whether the request asks for some labels or languages.
func (r *request) narrowed() bool { return len(r.viewer.Labels.Wanted) > 0 }

// addNarrowed adds all posts of those whom the viewer follows or cares for, and of their groups, that are asked for: a
// reserve has the best of all labels, and of some perhaps few.
func (f *Feed) addNarrowed(r *request, set hot.View, edge int64) {
	r.listed.Reset(2 * f.cfg.ReserveSize)
	for i := range r.list.Posts {
		r.listed.Add(r.list.Posts[i].ID)
	}
	f.arrivedOf(r, set, edge, func(p *hot.Post, author reserve.Author) bool {
		if source := f.sourceOf(r.reserve, author, p.Group); source != 0 && !r.rejects(r.kind, p, author) &&
			r.listed.Add(p.ID) {
			r.list.Add(p, source, r.reserve)
		}
		return len(r.list.Posts) < 2*f.cfg.ReserveSize
	})
}

// labelled adds to what a filter is asked what it needs of a post that has labels.
func (r *request) labelled(asked filters.Post, p *hot.Post) filters.Post {
	return candidates.Labelled(asked, p, r.hot, &r.viewer, r.reserve)
}
