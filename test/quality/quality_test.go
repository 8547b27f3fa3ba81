// Package quality replays a generated world whose people have known tastes and measures what the feed
// makes of it: does it show what its viewers then turn to, is it varied, and how much of it is left
// while ClickHouse is away.
package quality

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/seed/world"
	"github.com/feedrank/feedrank/test/stack"
)

// The world, and where its past ends: what happens after that is what a feed should have foreseen.
const (
	future  = 12 * time.Hour
	viewers = 300
)

func options() world.Options {
	return world.Options{
		Seed: 1, Users: 2000, Follows: 60_000, Posts: 8000, Events: 200_000, Blocks: 200, Window: 4 * 24 * time.Hour,
		Now: time.Now().UTC().Truncate(24 * time.Hour), // the same world each day: its hours are those of the day
	}
}

// gainOf is what a viewer's later interaction says about a post.
func gainOf(a core.Action) float64 {
	switch a {
	case core.ActionClick:
		return 1
	case core.ActionLike:
		return 2
	case core.ActionComment, core.ActionShare:
		return 3
	default:
		return 0
	}
}

// figures are those of one way to make a feed, as means over the viewers.
type figures struct {
	HitRate float64 `json:"hit_rate_at_20"`
	NDCG    float64 `json:"ndcg_at_20"`
	Authors float64 `json:"distinct_authors_in_20"`
	Gini    float64 `json:"gini_of_authors"`           // over all places of all viewers, among authors shown
	Overlap float64 `json:"overlap_at_20_with_ranked"` // of the posts shown, those that the ranked feed shows, too
}

type report struct {
	Viewers int                `json:"viewers"`
	Posts   int                `json:"posts"`
	Events  int                `json:"events"`
	Feeds   map[string]figures `json:"feeds"`
}

// The feeds, in the order of the report.
var feeds = []string{"ranked", "timeline", "cache", "stale", "postgres"}

func TestQuality(t *testing.T) {
	w, err := world.New(options())
	require.NoError(t, err)
	moment := w.Options().Now.Add(-future)
	p, gains := split(w, moment)
	s := stack.New(t)
	load(t, s, w, p)
	r := newReplica(t, s, moment)
	sample := sampleOf(gains)
	remember(t, r, p.events, moment)

	pages := map[string]map[core.ID]page{}
	for _, name := range feeds {
		pages[name] = map[core.ID]page{}
	}
	for _, viewer := range sample {
		r.away.Store(true)
		pages["postgres"][viewer] = served(t, r.get(viewer, ""), "postgres")
		r.away.Store(false)
		pages["ranked"][viewer] = served(t, r.get(viewer, ""), "clickhouse")
		pages["timeline"][viewer] = r.get(viewer, "algo=timeline")
		r.waitCached(viewer)
	}
	// Pages from entries that are as old as they are used, and older; and what would be computed then.
	computed := map[string]map[core.ID]page{"cache": {}, "stale": {}}
	now := moment
	for _, old := range []struct {
		from string
		by   time.Duration
	}{{"cache", 29 * time.Minute}, {"stale", 35 * time.Minute}} {
		now = now.Add(old.by)
		r.now.Store(now.UnixMicro())
		require.NoError(t, r.hot.Load(t.Context())) // as it would have been meanwhile
		for _, viewer := range sample {
			r.away.Store(true)
			pages[old.from][viewer] = served(t, r.get(viewer, ""), old.from)
			r.away.Store(false)
			require.NoError(t, r.store.Drop(t.Context(), viewer))
			computed[old.from][viewer] = served(t, r.get(viewer, ""), "clickhouse")
			r.waitCached(viewer)
		}
	}

	out := report{Viewers: len(sample), Posts: len(p.posts), Events: len(p.events), Feeds: map[string]figures{}}
	for _, name := range feeds {
		ranked := pages["ranked"]
		if then, ok := computed[name]; ok {
			ranked = then
		}
		out.Feeds[name] = measure(sample, pages[name], ranked, gains)
	}
	out.write(t)
	require.Greater(t, out.Feeds["ranked"].NDCG, out.Feeds["timeline"].NDCG,
		"ranking foresees more than the order of time")
	require.Greater(t, out.Feeds["ranked"].Authors, out.Feeds["timeline"].Authors/2)
	require.Greater(t, out.Feeds["cache"].Overlap, 0.95)
	require.Greater(t, out.Feeds["stale"].Overlap, 0.9)
	require.Greater(t, out.Feeds["postgres"].Overlap, 0.3)
}

func served(t *testing.T, p page, from string) page {
	t.Helper()
	require.Equal(t, from, p.ServedFrom)
	require.NotEmpty(t, p.Items) // only a timeline may be: of somebody who follows nobody
	return p
}

// split parts what happened before the moment from what each viewer later did with posts that were
// there at that moment.
func split(w *world.World, moment time.Time) (p past, gains map[core.ID]map[core.ID]float64) {
	standing := map[core.ID]bool{}
	for post := range w.Posts() {
		if post.Status == "published" && post.DeletedAt == nil && post.CreatedAt.Before(moment) {
			p.posts = append(p.posts, post)
			standing[post.ID] = true
		}
	}
	gains = map[core.ID]map[core.ID]float64{}
	for session := range w.Sessions() {
		for _, e := range session {
			if e.OccurredAt.Before(moment) {
				p.events = append(p.events, e)
			} else if gain := gainOf(e.Action); gain > 0 && standing[e.PostID] && e.UserID != e.AuthorID {
				if gains[e.UserID] == nil {
					gains[e.UserID] = map[core.ID]float64{}
				}
				gains[e.UserID][e.PostID] = max(gain, gains[e.UserID][e.PostID])
			}
		}
	}
	return p, gains
}

// sampleOf are viewers who later did something, evenly over all of them.
func sampleOf(gains map[core.ID]map[core.ID]float64) []core.ID {
	var all []core.ID
	for viewer := range gains {
		all = append(all, viewer)
	}
	slices.Sort(all)
	out := make([]core.ID, 0, viewers)
	for i := range min(viewers, len(all)) {
		out = append(out, all[i*len(all)/min(viewers, len(all))])
	}
	return out
}

// remember tells the feed what viewers saw and hid on the last day.
func remember(t *testing.T, r *replica, events []core.Event, moment time.Time) {
	t.Helper()
	var last []core.Event
	for _, e := range events {
		if e.OccurredAt.After(moment.Add(-24 * time.Hour)) {
			e.ReceivedAt = e.OccurredAt
			last = append(last, e)
		}
	}
	for batch := range slices.Chunk(last, 5000) {
		require.NoError(t, r.signals.Observe(t.Context(), batch))
	}
}

func measure(sample []core.ID, pages, ranked map[core.ID]page, gains map[core.ID]map[core.ID]float64) figures {
	var f figures
	shown := map[core.ID]int{}
	for _, viewer := range sample {
		p := pages[viewer]
		posts := p.posts()
		f.HitRate += hits(posts, gains[viewer])
		f.NDCG += ndcg(posts, gains[viewer])
		f.Overlap += overlap(posts, ranked[viewer].posts())
		own := map[core.ID]bool{}
		for _, item := range p.Items {
			own[item.Author] = true
			shown[item.Author]++
		}
		f.Authors += float64(len(own))
	}
	n := float64(len(sample))
	f.HitRate, f.NDCG, f.Overlap, f.Authors = f.HitRate/n, f.NDCG/n, f.Overlap/n, f.Authors/n
	counts := make([]int, 0, len(shown))
	for _, c := range shown {
		counts = append(counts, c)
	}
	f.Gini = gini(counts)
	return f
}

func (r report) write(t *testing.T) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%d viewers, %d posts, %d events; what they turn to in the next %s\n", r.Viewers, r.Posts, r.Events,
		future)
	fmt.Fprintf(&b, "%-10s %8s %8s %8s %8s %8s\n", "feed", "hit@20", "ndcg@20", "authors", "gini", "overlap")
	for _, name := range feeds {
		f := r.Feeds[name]
		fmt.Fprintf(&b, "%-10s %8.3f %8.4f %8.2f %8.3f %8.3f\n", name, f.HitRate, f.NDCG, f.Authors, f.Gini, f.Overlap)
	}
	t.Log("\n" + b.String())
	asJSON, err := json.MarshalIndent(r, "", "  ")
	require.NoError(t, err)
	dir := filepath.Join("..", "reports")
	require.NoError(t, os.MkdirAll(dir, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "quality.txt"), []byte(b.String()), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "quality.json"), append(asJSON, '\n'), 0o600))
}
