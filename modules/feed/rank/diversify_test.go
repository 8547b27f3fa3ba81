package rank_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/feed/rank"
)

func drawList(t *rapid.T) (rules rank.Diversity, authors []int32, count int) {
	rules = rank.Diversity{
		Top: rapid.IntRange(0, 8).Draw(t, "top"), Gap: rapid.IntRange(0, 5).Draw(t, "gap"),
		Window: rapid.IntRange(1, 60).Draw(t, "window"), MaxAuthor: rapid.IntRange(1, 5).Draw(t, "max"),
	}
	count = rapid.IntRange(1, 30).Draw(t, "authors")
	one := rapid.Int32Range(0, int32(count-1))
	if rapid.Bool().Draw(t, "skewed") {
		one = rapid.OneOf(rapid.Just(int32(0)), one)
	}
	return rules, rapid.SliceOfN(one, 0, 120).Draw(t, "list"), count
}

// broken says which rules a post of author at the end of placed would break, counted the slow way.
func broken(rules rank.Diversity, placed []int32, author int32) (window, top bool, missing int) {
	place := len(placed)
	inWindow := 0
	for i := max(0, place-rules.Window+1); i < place; i++ {
		if placed[i] == author {
			inWindow++
		}
	}
	last := -1
	for i, a := range placed {
		if a == author {
			last = i
		}
	}
	if last >= 0 {
		missing = max(0, rules.Gap-(place-last-1))
	}
	return inWindow >= rules.MaxAuthor, place < rules.Top && last >= 0, missing
}

func severity(window, top bool, missing int) int {
	switch {
	case missing > 0:
		return 2 + missing
	case top:
		return 2
	case window:
		return 1
	default:
		return 0
	}
}

func TestDiversificationLosesAndDoublesNoPost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, authors, count := drawList(t)
		order := rank.NewDiversifier(rules).Order(nil, authors, count)
		sorted := slices.Clone(order)
		slices.Sort(sorted)
		require.Len(t, sorted, len(authors))
		for i, at := range sorted {
			require.Equal(t, int32(i), at)
		}
	})
}

func TestEachPlaceTakesTheBestPostThatBreaksTheLeast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, authors, count := drawList(t)
		d := rank.NewDiversifier(rules)
		order := d.Order(nil, authors, count)
		remaining := make([]int32, len(authors))
		for i := range remaining {
			remaining[i] = int32(i)
		}
		var placed []int32
		for place, chosen := range order {
			best, least := int32(-1), 1000
			for _, i := range remaining {
				if s := severity(broken(rules, placed, authors[i])); s < least {
					best, least = i, s
				}
			}
			require.Equal(t, best, chosen, "place %d", place)
			require.Equal(t, uint8(least), d.Relaxed()[place])
			remaining = slices.DeleteFunc(remaining, func(i int32) bool { return i == chosen })
			placed = append(placed, authors[chosen])
		}
	})
}

func TestDiversificationIsStableAndItsMemoryDoesNotLeakIntoTheNextList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, authors, count := drawList(t)
		d := rank.NewDiversifier(rules)
		first := d.Order(nil, authors, count)
		d.Order(nil, []int32{0, 0, 0, 0}, 1)
		require.Equal(t, first, d.Order(nil, authors, count))
	})
}

func TestAListOfDifferentAuthorsKeepsItsOrder(t *testing.T) {
	order := rank.NewDiversifier(rank.DefaultConfig().Diversity).Order(nil, []int32{4, 2, 0, 1, 3}, 5)
	require.Equal(t, []int32{0, 1, 2, 3, 4}, order)
}

func TestTwoAuthorsAloneTakeTurns(t *testing.T) {
	authors := []int32{0, 0, 0, 0, 1, 1, 1, 1}
	order := rank.NewDiversifier(rank.DefaultConfig().Diversity).Order(nil, authors, 2)
	require.Equal(t, []int32{0, 4, 1, 5, 2, 6, 3, 7}, order)
}

func BenchmarkDiversify500OfWhichOneAuthorWroteHalf(b *testing.B) {
	authors := make([]int32, 500)
	for i := range authors {
		if i >= 250 {
			authors[i] = int32(1 + i%60)
		}
	}
	d := rank.NewDiversifier(rank.DefaultConfig().Diversity)
	var order []int32
	b.ReportAllocs()
	for b.Loop() {
		order = d.Order(order[:0], authors, 61)
	}
}

// A list that is cut anywhere and goes on is the list that was not cut.
func TestAListThatGoesOnIsTheOneThatWasNotCut(t *testing.T) {
	rules := rank.DefaultConfig().Diversity
	d := rank.NewDiversifier(rules)
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 30).Draw(t, "authors")
		authors := rapid.SliceOfN(rapid.Int32Range(0, int32(count-1)), 1, 200).Draw(t, "list")
		whole := d.Order(nil, authors, count)
		relaxed := slices.Clone(d.Relaxed())
		cut := rapid.IntRange(0, len(authors)).Draw(t, "cut")
		known := min(cut, rapid.IntRange(rules.Window, 2*rules.Window).Draw(t, "known"))
		var given, rest []int32
		for _, at := range whole[cut-known : cut] {
			given = append(given, authors[at])
		}
		for _, at := range whole[cut:] {
			rest = append(rest, authors[at])
		}
		for place, at := range d.OrderAfter(nil, cut-known, given, rest, count) {
			require.Equal(t, int32(place), at)
			require.Equal(t, relaxed[cut+place], d.Relaxed()[place])
		}
	})
}
