package suggest_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/suggest"
)

// TestNobodyIsSuggestedWhoMustNotBe draws small worlds with every kind of edge, some of them taken
// back, and holds the lists of everybody against what the world says.
func TestNobodyIsSuggestedWhoMustNotBe(t *testing.T) {
	t.Run("all edges are read", func(t *testing.T) { lawsHold(t, newWorld(t), true) })
	t.Run("some edges are read", func(t *testing.T) { // and who is found is looked up
		lawsHold(t, newWorld(t, func(c *suggest.Config) { c.MaxEdges = 3 }), false)
	})
}

func lawsHold(t *testing.T, w *world, complete bool) {
	base := core.ID(0)
	rapid.Check(t, func(rt *rapid.T) {
		base += 100
		const people = 8
		person := rapid.Custom(func(rt *rapid.T) core.ID {
			return base +
				core.ID(rapid.IntRange(1, people).Draw(rt, "person"))
		})
		stands := map[edge]bool{} // by the edge without its state
		var rows []edge
		for range rapid.IntRange(0, 60).Draw(rt, "edges") {
			e := edge{
				from: person.Draw(rt, "from"), to: person.Draw(rt, "to"),
				kind: rapid.SampledFrom([]string{"follow", "follow", "follow", "block", "mute"}).Draw(rt, "kind"),
			}
			gone := rapid.IntRange(0, 4).Draw(rt, "gone") == 0
			stands[e] = !gone
			row, mirror := e, edge{from: e.to, to: e.from, kind: "blocked_by"}
			row.gone, mirror.gone = gone, gone
			rows = append(rows, row)
			if e.kind == "block" {
				stands[edge{from: e.to, to: e.from, kind: "blocked_by"}] = !gone
				rows = append(rows, mirror)
			}
		}
		w.edges(rows...)
		dismissed := map[[2]core.ID]bool{}
		for range rapid.IntRange(0, 5).Draw(rt, "dismissals") {
			pair := [2]core.ID{person.Draw(rt, "who"), person.Draw(rt, "whom")}
			dismissed[pair] = true
			require.NoError(rt, w.service.Dismiss(context.Background(), pair[0], pair[1]))
		}
		related := func(a, b core.ID) bool {
			for _, kind := range []string{"follow", "block", "mute", "blocked_by"} {
				if stands[edge{from: a, to: b, kind: kind}] {
					return true
				}
			}
			return a == b || dismissed[[2]core.ID{a, b}]
		}
		barred := func(a, b core.ID) bool { // speaks for nobody, though followed
			return stands[edge{from: a, to: b, kind: "block"}] || stands[edge{from: a, to: b, kind: "mute"}] ||
				stands[edge{from: a, to: b, kind: "blocked_by"}]
		}
		viewer := person.Draw(rt, "viewer")
		wanted := map[core.ID]int64{}
		for e, there := range stands {
			if !there || e.kind != "follow" || e.from == viewer ||
				!stands[edge{from: viewer, to: e.from, kind: "follow"}] || related(viewer, e.to) ||
				barred(viewer, e.from) {
				continue
			}
			wanted[e.to]++
		}
		answer := w.suggest(viewer)
		if suggest.FromComputed != answer.ServedFrom {
			rt.Fatalf("served from %s", answer.ServedFrom)
		}
		found, best := map[core.ID]int64{}, 0.0
		for i, item := range answer.Items {
			if related(viewer, item.User) {
				rt.Fatalf("%s was suggested to %s", item.User, viewer)
			}
			for _, reason := range item.Reason.Users {
				if barred(viewer, reason) {
					rt.Fatalf("%s is named to %s", reason, viewer)
				}
			}
			if i > 0 && item.Score > best {
				rt.Fatalf("%s stands below a lower score", item.User)
			}
			found[item.User], best = item.Reason.Count, item.Score
		}
		if complete && !maps.Equal(found, wanted) {
			rt.Fatalf("suggested %v, wanted %v", found, wanted)
		}
	})
}

// TestASupernodeCostsNoMoreThanItsBounds follows somebody who follows 400,000 people, and 5,000 who
// follow 200 each.
func TestASupernodeCostsNoMoreThanItsBounds(t *testing.T) {
	w := newWorld(t)
	const into = "INSERT INTO viewer_edges (viewer_id, kind, other_id, row_key, created_at, version) "
	w.write(into + "SELECT 2, 'follow', 1000000 + number, 'a', now64(6), 1 FROM numbers(400000)")
	w.write(into + "SELECT 10000 + intDiv(number, 200), 'follow', 2000000 + cityHash64(number) % 100000, 'a', now64(6), 1 FROM numbers(1000000)")
	w.write(into + "SELECT 1, 'follow', 10000 + number, 'a', now64(6) - number, 1 FROM numbers(5000)")
	w.follows(1, 2)
	w.follows(3, 2)
	w.write(into + "SELECT 4, 'blocked_by', 5000000 + number, 'a', now64(6), 1 FROM numbers(400000)") // a celebrity
	w.follows(4, 10001)
	for _, viewer := range []core.ID{1, 3, 4} {
		best := time.Hour
		for range 3 {
			began := time.Now()
			require.NoError(t, w.service.Warm(context.Background(), viewer))
			best = min(best, time.Since(began))
			w.clock.advance(2 * w.cfg.Fresh)
		}
		t.Logf("viewer %s: %s", viewer, best.Round(time.Millisecond))
		require.NotEmpty(t, w.suggest(viewer).Items)
	}
}
