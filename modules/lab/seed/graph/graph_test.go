package graph_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/lab/seed/graph"
)

// valid holds what is true of every graph: exact counts, no self follows, nobody followed twice.
func valid(t require.TestingT, g *graph.Graph) {
	met := make([]uint32, g.Users())
	follows := 0
	for u := range uint32(g.Users()) {
		for _, f := range g.Followees(u) {
			if u == f || int(f) >= g.Users() || met[f] == u+1 {
				require.Fail(t, "a follow of oneself, of nobody, or twice", "%d follows %d", u, f)
			}
			met[f] = u + 1
			follows++
		}
	}
	require.Equal(t, g.Follows(), follows)
	for _, m := range g.Mutes {
		require.NotEqual(t, m.From, m.To)
	}
}

func TestAGeneratedGraphHasExactlyWhatWasAskedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		users := rapid.IntRange(2, 150).Draw(t, "users")
		follows := rapid.IntRange(0, users*(users-1)).Draw(t, "follows")
		g, err := graph.Generate(rapid.Uint64().Draw(t, "seed"), users, follows)
		require.NoError(t, err)
		require.Equal(t, users, g.Users())
		require.Equal(t, follows, g.Follows())
		valid(t, g)
	})
}

func TestAGraphWithMoreFollowsThanPairsIsRefused(t *testing.T) {
	for _, c := range [][2]int{{1, 0}, {3, 7}, {10, -1}} {
		_, err := graph.Generate(1, c[0], c[1])
		require.Error(t, err)
	}
}

func TestAGeneratedGraphIsHeavyTailedInBothDirections(t *testing.T) {
	const users, average = 20_000, 50
	g, err := graph.Generate(1, users, users*average)
	require.NoError(t, err)
	valid(t, g)
	out, in := make([]uint32, users), g.Followers()
	for u := range uint32(users) {
		out[u] = uint32(len(g.Followees(u)))
	}
	slices.Sort(out)
	slices.Sort(in)
	require.Less(t, out[users/2], uint32(average), "the median is below the average")
	require.Greater(t, out[users-1], uint32(1000), "some follow thousands")
	require.Less(t, in[users/2], uint32(average))
	require.Greater(t, in[users-1], uint32(users/2), "the first is followed by most")
	require.Greater(t, in[users-100], uint32(1000))
}

func TestTheRealGraphIsWholeAndTheSeedOrdersItsListsOnly(t *testing.T) {
	one, err := graph.Real(1)
	require.NoError(t, err)
	valid(t, one)
	require.Equal(t, 24_489, one.Users())
	require.Equal(t, 140_492, one.Follows())
	require.Len(t, one.Mutes, 1017)
	again, err := graph.Real(1)
	require.NoError(t, err)
	other, err := graph.Real(2)
	require.NoError(t, err)
	differ := false
	for u := range uint32(one.Users()) {
		require.Equal(t, one.Followees(u), again.Followees(u))
		require.ElementsMatch(t, one.Followees(u), other.Followees(u))
		differ = differ || !slices.Equal(one.Followees(u), other.Followees(u))
	}
	require.True(t, differ)
}
