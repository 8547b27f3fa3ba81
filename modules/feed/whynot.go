package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/candidates"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// WhyNot says what became of one post on its way to one user's first page, as the user is served it now: from
// their cached entry where they have one.
type WhyNot struct {
	User core.ID `json:"user"`
	Post core.ID `json:"post"`
	// Author of the post, where it is in the hot set.
	Author core.ID `json:"-"`
	// Labels of the post, where it is in the hot set.
	Labels []core.ID `json:"-"`
	Outcome
	Ranking    uint64          `json:"ranking_version"`
	ServedFrom page.ServedFrom `json:"served_from"`
	ComputedAt time.Time       `json:"computed_at"`        // when what the page is made of was computed
	Fresh      *Outcome        `json:"fresh,omitempty"`    // what a computation of this moment would say, where that differs
	Sessions   []SessionSays   `json:"sessions,omitempty"` // where the post stands in the sessions of pages that the user is in the middle of

	Explain json.RawMessage `json:"explain,omitempty"` // of a post that is ranked or shown: as an item's, see page.AppendExplain
}

// Outcome is what became of the post.
type Outcome struct {
	Verdict string  `json:"verdict"`         // dropped, ranked (below the page) or shown
	Stage   string  `json:"stage"`           // where it was dropped, or "page"
	Rule    string  `json:"rule"`            // what dropped it: a stable word
	Detail  string  `json:"detail"`          // a sentence for people
	Place   int     `json:"place,omitempty"` // from 1, of a post that is ranked or shown
	Score   float64 `json:"score,omitempty"` //
	Lacks   float64 `json:"lacks,omitempty"` // by how much the last post of the page scores higher
	Source  string  `json:"source,omitempty"`
	// Since is when what dropped it began, where that is known: a block, a mute, a hide, when it was seen.
	Since *time.Time `json:"since,omitempty"`
	Label core.ID    `json:"-"` // that it was dropped for
}

// dropped is a verdict of a stage.
func (w WhyNot) dropped(stage, rule, format string, args ...any) WhyNot {
	w.Verdict, w.Stage, w.Rule, w.Detail = "dropped", stage, rule, fmt.Sprintf(format, args...)
	return w
}

// rejected is what a filter says.
func (w WhyNot) rejected(f *filters.Filter, v *filters.Viewer, author reserve.Author) WhyNot {
	return w.dropped("filters", f.Name, "%s", f.Detail(v, author))
}

// differs tells whether two verdicts are not the same to a reader.
func (v Outcome) differs(o Outcome) bool {
	return v.Verdict != o.Verdict || v.Rule != o.Rule || v.Place != o.Place
}

// WhyNot follows one post through the path that the user is served by, and through a computation of this moment.
// Neither has side effects.
func (f *Feed) WhyNot(ctx context.Context, user, post core.ID, limit int) (WhyNot, error) {
	fresh, freshErr := f.whyNotComputed(ctx, user, post, limit)
	served, cached, err := f.whyNotServed(ctx, user, post, limit, freshErr != nil)
	switch {
	case err != nil:
		return served, err
	case !cached && freshErr != nil:
		return fresh, freshErr
	case !cached:
		served = fresh
	case freshErr != nil:
		served.Detail += "; ClickHouse cannot be asked what a computation would give now"
	case served.Rule == notInEntry && fresh.Verdict == "dropped": // the same, and this says why
		served.Outcome = fresh.Outcome
	case served.differs(fresh.Outcome):
		served.Fresh = &fresh.Outcome
		served.Detail += "; a computation of this moment says otherwise: " + fresh.Detail
	}
	served.Sessions = f.sessionsOf(ctx, user, post)
	return served, nil
}

func (f *Feed) whyNotComputed(ctx context.Context, user, post core.ID, limit int) (WhyNot, error) {
	r := f.take(Query{User: user, Order: cursor.Ranked, Limit: limit, Explain: true})
	defer f.give(r)
	out := WhyNot{User: user, Post: post, Ranking: r.Ranking.Version}
	built, err := f.tryOut(ctx, r)
	if err != nil {
		return out, err
	}
	return f.follow(ctx, r, out, built)
}

// notInEntry is the rule for what the cached entry does not hold.
const notInEntry = "not_in_entry"

// whyNotServed goes by the user's cached entry, if the next page would be made of it.
func (f *Feed) whyNotServed(ctx context.Context, user, post core.ID, limit int, away bool) (out WhyNot, cached bool,
	err error,
) {
	r := f.take(Query{User: user, Order: cursor.Ranked, Limit: limit, Explain: true})
	defer f.give(r)
	out = WhyNot{User: user, Post: post, Ranking: r.Ranking.Version}
	f.loadViewer(ctx, r)
	usable := r.entry.Whole(r.Now) && r.Now.Before(r.entry.FreshUntil.Add(f.cfg.Cache.StaleFor))
	switch {
	case usable && r.entry.Fresh(r.Now):
		f.use(r, &r.entry.Reserve, page.FromCache)
	case usable || away && (r.entry.HasBody || f.localFallback(r)):
		r.entry.Reserve.Apply(r.entry.Patches, r.Ranking.Affinity.Hide)
		f.mergeNewFollows(r, &r.entry.Reserve, r.entry.Patches)
		f.use(r, &r.entry.Reserve, page.FromStale)
	default:
		return out, false, nil
	}
	f.useOnDemand(ctx, r)
	out, err = f.follow(ctx, r, out, nil)
	return out, true, err
}

// follow goes through the stages of a page. built is of the computation that it is made of; nil: of the cache.
func (f *Feed) follow(ctx context.Context, r *request, out WhyNot, built *candidates.Built) (WhyNot, error) {
	out.ServedFrom, out.ComputedAt = r.ServedFrom, r.reserve.BuiltAt
	set := r.hot.View()
	p, visible := set.Post(out.Post)
	set.Close()
	if !visible {
		return f.whyInvisible(ctx, r, out)
	}
	out.Author, out.Labels = p.Author, r.hot.Labels(&p).IDs()
	if err := f.firstPage(ctx, r); err != nil {
		return out, err
	}
	if verdict, ranked := r.whereRanked(out); ranked {
		return verdict, nil
	}
	author := r.reserve.Author(p.Author)
	if filter := r.rejectedBy(filters.Ranked, &p, author); filter != nil {
		out = out.rejected(filter, &r.viewer, author)
		out.Since = f.since(ctx, r, filter, p.ID, p.Author)
		if filter.Labels {
			out.Label = r.viewer.RejectedLabel()
		}
		return out, nil
	}
	switch {
	case slices.ContainsFunc(r.reserve.Candidates, func(c reserve.Candidate) bool { return c.Post == out.Post }):
		return out.dropped("page", "changed", "the post was dropped while this was looked into; ask again"), nil
	case built == nil:
		return out.dropped("reserve", notInEntry,
			"the entry that the user is served from was computed at %s, without this post",
			r.reserve.BuiltAt.UTC().Format(time.RFC3339)), nil
	}
	return f.whyNoCandidate(out, &p, built), nil
}

// SessionSays is where a post stands in the order of a session of pages that can be continued.
type SessionSays struct {
	Place int `json:"place"` // from 1
	Of    int `json:"of"`
}

// sessionsOf looks through the orders that Redis keeps of the user; without it, nothing is said of them.
func (f *Feed) sessionsOf(ctx context.Context, user, post core.ID) (found []SessionSays) {
	var orders [][]byte
	if f.guards.Redis.Do(ctx, func(ctx context.Context) (err error) {
		orders, err = f.store.Orders(ctx, user)
		return err
	}) != nil {
		return nil
	}
	for _, order := range orders {
		places, err := reserve.DecodeAnyOrder(order)
		if err != nil {
			continue
		}
		if at := slices.IndexFunc(places, func(p reserve.Place) bool { return p.Post == post }); at >= 0 {
			found = append(found, SessionSays{Place: at + 1, Of: len(places)})
		}
	}
	return found
}
