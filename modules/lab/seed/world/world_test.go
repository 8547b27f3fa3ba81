package world_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/seed/world"
)

func noon() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }

func drawOptions(t *rapid.T) world.Options {
	users := rapid.IntRange(2, 300).Draw(t, "users")
	return world.Options{
		Seed: rapid.Uint64().Draw(t, "seed"), Users: users,
		Follows: rapid.IntRange(0, users*(users-1)/2).Draw(t, "follows"),
		Posts:   rapid.IntRange(1, 400).Draw(t, "posts"), Events: rapid.IntRange(0, 2000).Draw(t, "events"),
		Blocks: rapid.IntRange(0, 20).Draw(t, "blocks"),
		Window: time.Duration(rapid.IntRange(2, 96).Draw(t, "hours")) * time.Hour,
		Now:    noon().Add(time.Duration(rapid.IntRange(0, 86400).Draw(t, "seconds")) * time.Second),
	}
}

// events copies what the stream of sessions gives.
func events(w *world.World) []core.Event {
	var all []core.Event
	for session := range w.Sessions() {
		all = append(all, session...)
	}
	return all
}

func TestTheSameOptionsMakeTheSameWorldAndAnotherSeedMakesAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opts := drawOptions(t)
		one, err := world.New(opts)
		require.NoError(t, err)
		two, err := world.New(opts)
		require.NoError(t, err)
		require.Equal(t, slices.Collect(one.Users()), slices.Collect(two.Users()))
		require.Equal(t, slices.Collect(one.Follows()), slices.Collect(two.Follows()))
		require.Equal(t, slices.Collect(one.Posts()), slices.Collect(two.Posts()))
		require.Equal(t, slices.Collect(one.Blocks()), slices.Collect(two.Blocks()))
		require.Equal(t, slices.Collect(one.Mutes()), slices.Collect(two.Mutes()))
		require.Equal(t, events(one), events(two))

		opts.Seed++
		other, err := world.New(opts)
		require.NoError(t, err)
		require.NotEqual(t, slices.Collect(one.Users()), slices.Collect(other.Users()))
	})
}

func TestEveryEdgeJoinsTwoUsersOfTheWorldOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opts := drawOptions(t)
		w, err := world.New(opts)
		require.NoError(t, err)
		require.Len(t, slices.Collect(w.Users()), opts.Users)
		follows := slices.Collect(w.Follows())
		if opts.Follows > 0 {
			require.Len(t, follows, opts.Follows)
		}
		for _, edges := range [][]world.Pair{follows, slices.Collect(w.Blocks()), slices.Collect(w.Mutes())} {
			met := map[[2]core.ID]bool{}
			for _, e := range edges {
				require.NotEqual(t, e.From, e.To)
				for _, id := range []core.ID{e.From, e.To} {
					require.True(t, id >= 1 && id <= core.ID(opts.Users), "user %d", id)
				}
				require.False(t, met[[2]core.ID{e.From, e.To}], "%d to %d twice", e.From, e.To)
				met[[2]core.ID{e.From, e.To}] = true
				require.True(t, e.CreatedAt.Before(opts.Now))
			}
		}
		for _, b := range slices.Collect(w.Blocks()) {
			require.False(t, slices.ContainsFunc(follows, func(f world.Pair) bool {
				return f.From == b.From && f.To == b.To || f.From == b.To && f.To == b.From
			}), "%d blocks %d and one follows the other", b.From, b.To)
		}
	})
}

func TestEventsAreOfPostsThatTheViewerMaySeeAtThatTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opts := drawOptions(t)
		w, err := world.New(opts)
		require.NoError(t, err)
		posts := slices.Collect(w.Posts())
		require.Len(t, posts, opts.Posts)
		barred := map[[2]core.ID]bool{}
		for b := range w.Blocks() {
			barred[[2]core.ID{b.From, b.To}], barred[[2]core.ID{b.To, b.From}] = true, true
		}
		for m := range w.Mutes() {
			barred[[2]core.ID{m.From, m.To}] = true
		}
		ids, liked, made := map[core.EventID]bool{}, map[[2]core.ID]bool{}, 0
		for session := range w.Sessions() {
			require.NotEmpty(t, session)
			require.LessOrEqual(t, len(session), 100)
			for i, e := range session {
				made++
				require.False(t, ids[e.ID], "the same event id twice")
				ids[e.ID] = true
				require.Equal(t, session[0].UserID, e.UserID, "a session has one user")
				require.True(t, e.Action.Valid())
				post := posts[e.PostID-1]
				require.Equal(t, post.AuthorID, e.AuthorID)
				require.NotEqual(t, e.AuthorID, e.UserID, "nobody looks at their own posts")
				require.False(t, e.OccurredAt.Before(post.CreatedAt), "before the post")
				require.False(t, e.OccurredAt.After(opts.Now), "in the future")
				require.True(t, i == 0 || !e.OccurredAt.Before(session[i-1].OccurredAt), "time goes on")
				require.Nil(t, post.DeletedAt)
				require.Equal(t, "published", post.Status)
				require.False(t, barred[[2]core.ID{e.UserID, e.AuthorID}], "blocked or muted")
				require.Equal(t, e.Action == core.ActionDwell, e.DwellMillis > 0)
				if e.Action == core.ActionLike {
					require.False(t, liked[[2]core.ID{e.UserID, e.PostID}], "liked twice")
					liked[[2]core.ID{e.UserID, e.PostID}] = true
				}
			}
		}
		require.LessOrEqual(t, made, opts.Events)
	})
}

func TestReactionsAreTheLikesAndCommentsOfTheEvents(t *testing.T) {
	w, err := world.New(world.Options{
		Seed: 3, Users: 500, Posts: 2000, Events: 20_000, Window: 72 * time.Hour,
		Now: noon(),
	})
	require.NoError(t, err)
	var wanted, got []world.Reaction
	for _, e := range events(w) {
		if e.Action == core.ActionLike || e.Action == core.ActionComment {
			wanted = append(wanted, world.Reaction{UserID: e.UserID, PostID: e.PostID, CreatedAt: e.OccurredAt})
		}
	}
	for action, r := range w.Reactions() {
		require.Equal(t, action == core.ActionComment, r.Body != "")
		r.Body = ""
		got = append(got, r)
	}
	require.Equal(t, wanted, got)
	require.Greater(t, len(got), 500)
}

func TestAWorldOfOrdinarySizeHasAsManyEventsAsAskedForOfEveryKind(t *testing.T) {
	opts, err := world.Scale(world.Small)
	require.NoError(t, err)
	opts.Now = noon()
	w, err := world.New(opts)
	require.NoError(t, err)
	require.Equal(t, world.Count{
		Users: 24_489, Follows: 140_492, Mutes: 1017, Blocks: opts.Blocks, Posts: opts.Posts, Events: opts.Events,
	}, w.Count())
	all := events(w)
	require.Len(t, all, opts.Events)
	kinds := map[core.Action]int{}
	for _, e := range all {
		kinds[e.Action]++
	}
	for _, a := range []core.Action{
		core.ActionImpression, core.ActionView, core.ActionClick, core.ActionLike, core.ActionComment, core.ActionShare,
		core.ActionDwell, core.ActionHide,
	} {
		require.NotZero(t, kinds[a], a)
	}
	require.Greater(t, kinds[core.ActionImpression], kinds[core.ActionView])
	require.Greater(t, kinds[core.ActionView], kinds[core.ActionLike])
	require.Greater(t, kinds[core.ActionLike], kinds[core.ActionComment])
	recent := 0
	for _, e := range all {
		if opts.Now.Sub(e.OccurredAt) < 24*time.Hour {
			recent++
		}
	}
	require.Greater(t, recent, opts.Events/4, "the last day has its share")
}

// Affinity means something only if people come back to the same authors.
func TestPeopleHaveAuthorsTheyCareForMoreThanForOthers(t *testing.T) {
	w, err := world.New(world.Options{
		Seed: 5, Users: 1000, Posts: 10_000, Events: 100_000, Window: 72 * time.Hour,
		Now: noon(),
	})
	require.NoError(t, err)
	counts := map[core.ID]map[core.ID]int{}
	for _, e := range events(w) {
		if e.Action == core.ActionView {
			if counts[e.UserID] == nil {
				counts[e.UserID] = map[core.ID]int{}
			}
			counts[e.UserID][e.AuthorID]++
		}
	}
	views, ofTheFirstThree := 0, 0
	for _, authors := range counts {
		var each []int
		for _, n := range authors {
			each, views = append(each, n), views+n
		}
		slices.Sort(each)
		for _, n := range each[max(0, len(each)-3):] {
			ofTheFirstThree += n
		}
	}
	require.Greater(t, float64(ofTheFirstThree), 0.3*float64(views))
}

func TestWhatIsWrongWithOptionsIsToldAtOnce(t *testing.T) {
	_, err := world.New(world.Options{Users: 1, Follows: -1, Posts: -1, Events: -1, Blocks: -1})
	for _, key := range []string{"users=1", "follows=-1", "posts=-1", "events=-1", "blocks=-1", "window=0s", "now"} {
		require.ErrorContains(t, err, key)
	}
	_, err = world.Scale("huge")
	require.ErrorIs(t, err, world.ErrUnknownScale)
}
