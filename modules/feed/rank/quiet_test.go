package rank_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/feed/rank"
)

func TestOfAnyPlacesAsManyAreKeptAsTheirShareSays(t *testing.T) {
	for share, want := range map[float64][]int{0.1: {9, 19, 29}, 0.2: {4, 9, 14, 19, 24}, 0.5: {1, 3, 5, 7}, 0: nil} {
		rules := rank.Diversity{QuietShare: share}
		var kept []int
		for place := 0; place < 30 && len(kept) < max(1, len(want)); place++ {
			if rules.Keeps(place) {
				kept = append(kept, place)
			}
		}
		require.Equal(t, want, kept, "share %v", share)
	}
	rapid.Check(t, func(t *rapid.T) {
		rules := rank.Diversity{QuietShare: float64(rapid.IntRange(0, 50).Draw(t, "percent")) / 100}
		n, kept := rapid.IntRange(1, 600).Draw(t, "places"), 0
		for place := range n {
			if rules.Keeps(place) {
				kept++
			}
		}
		require.Equal(t, int(math.Floor(float64(n)*rules.QuietShare+1e-9)), kept)
	})
}

// drawQuiet is a list in which some authors post seldom, and places are kept for them.
func drawQuiet(t *rapid.T) (rules rank.Diversity, authors []int32, count int, quiet []bool) {
	rules, authors, count = drawList(t)
	rules.QuietShare = rapid.SampledFrom([]float64{0.05, 0.1, 0.2, 0.34, 0.5}).Draw(t, "share")
	seldom := rapid.SliceOfN(rapid.Bool(), count, count).Draw(t, "seldom")
	for _, author := range authors {
		quiet = append(quiet, seldom[author])
	}
	return rules, authors, count, quiet
}

// At a kept place stands the best post of who posts seldom that breaks no rule; where there is none, and at any other
// place, what stands there by the rules of variety alone.
func TestAKeptPlaceHasTheBestOfWhoPostsSeldom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, authors, count, quiet := drawQuiet(t)
		d := rank.NewDiversifier(rules)
		d.Quiet(quiet)
		remaining := make([]int32, len(authors))
		for i := range remaining {
			remaining[i] = int32(i)
		}
		var placed []int32
		for place, chosen := range d.Order(nil, authors, count) {
			best, least, seldom := int32(-1), 1000, int32(-1)
			for _, i := range remaining {
				s := severity(broken(rules, placed, authors[i]))
				if s < least {
					best, least = i, s
				}
				if s == 0 && quiet[i] && seldom < 0 {
					seldom = i
				}
			}
			want := best
			if seldom >= 0 && rules.Keeps(place) {
				want = seldom
			}
			require.Equal(t, want, chosen, "place %d", place)
			require.Equal(t, want != best, d.Kept()[place])
			remaining = slices.DeleteFunc(remaining, func(i int32) bool { return i == chosen })
			placed = append(placed, authors[chosen])
		}
		require.Empty(t, remaining, "none is lost")
	})
}

func TestWithoutKeptPlacesOrWhoPostsSeldomTheOrderIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, authors, count, quiet := drawQuiet(t)
		plain := rules
		plain.QuietShare = 0
		want := rank.NewDiversifier(plain).Order(nil, authors, count)
		none := rank.NewDiversifier(plain)
		none.Quiet(quiet)
		require.Equal(t, want, none.Order(nil, authors, count), "no place is kept")
		nobody := rank.NewDiversifier(rules)
		nobody.Quiet(quiet)
		nobody.Order(nil, authors, count)
		require.Equal(t, want, nobody.Order(nil, authors, count), "who posted seldom in another list does not count")
	})
}

// Whoever posts seldom stands no lower for a better score: their post is where it was, or before.
func TestABetterScoreDoesNotLowerAQuietPost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(2, 60).Draw(t, "posts") // each of an author of its own: variety moves nobody
		rules := rank.DefaultConfig().Diversity
		rules.QuietShare = rapid.SampledFrom([]float64{0.1, 0.2, 0.5}).Draw(t, "share")
		authors, quiet := make([]int32, count), rapid.SliceOfN(rapid.Bool(), count, count).Draw(t, "quiet")
		for i := range authors {
			authors[i] = int32(i)
		}
		place := func(quiet []bool, post int32) int {
			d := rank.NewDiversifier(rules)
			d.Quiet(quiet)
			return slices.Index(d.Order(nil, authors, count), post)
		}
		at := rapid.IntRange(1, count-1).Draw(t, "post")
		better := slices.Clone(quiet)
		better[at], better[at-1] = better[at-1], better[at] // one place up
		require.LessOrEqual(t, place(better, int32(at-1)), place(quiet, int32(at)))
	})
}

func TestAListWithKeptPlacesThatGoesOnIsTheOneThatWasNotCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := rank.DefaultConfig().Diversity
		rules.QuietShare = rapid.SampledFrom([]float64{0.1, 0.2, 0.5}).Draw(t, "share")
		d := rank.NewDiversifier(rules)
		count := rapid.IntRange(20, 60).Draw(t, "authors")
		authors := rapid.SliceOfN(rapid.Int32Range(0, int32(count-1)), 80, 200).Draw(t, "list")
		seldom := rapid.SliceOfN(rapid.Bool(), count, count).Draw(t, "seldom")
		quiet := func(authors []int32) (posts []bool) {
			for _, author := range authors {
				posts = append(posts, seldom[author])
			}
			return posts
		}
		d.Quiet(quiet(authors))
		whole := d.Order(nil, authors, count)
		cut := rapid.IntRange(0, len(authors)).Draw(t, "cut")
		known := min(cut, rapid.IntRange(rules.Window, rules.Window+9).Draw(t, "known"))
		// What is left comes in the order of the session, as on a later page.
		var given, rest []int32
		for _, at := range whole[cut-known : cut] {
			given = append(given, authors[at])
		}
		for _, at := range whole[cut:] {
			rest = append(rest, authors[at])
		}
		d.Quiet(quiet(rest))
		for place, at := range d.OrderAfter(nil, cut-known, given, rest, count) {
			require.Equal(t, int32(place), at)
		}
	})
}
