package filters

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/absent"
	"github.com/feedrank/feedrank/modules/feed/idset"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// TestEachFilterRejectsWhatItSays asks about one post for each filter, in both kinds of lists.
func TestEachFilterRejectsWhatItSays(t *testing.T) {
	var seen, hidden idset.Set
	seen.Add(50)
	hidden.Add(60)
	v := Viewer{Seen: &seen, Hidden: &hidden, SeenFor: time.Hour, Until: 1000}
	v.Begin(NewSet(All(), prometheus.NewRegistry()), 1)
	v.Absent = absent.New(absent.DefaultConfig(), time.Hour, nil, nil, core.SystemClock{}, prometheus.NewRegistry(),
		zap.NewNop())
	v.Absent.Apply([]core.Change{{Kind: core.UserGone, Viewer: 6}, {Kind: core.UserGone, Viewer: 1}})
	stranger := reserve.Author{ID: 9}
	for name, p := range map[string]Post{
		"own":           {ID: 10, Author: reserve.Author{ID: 1}},
		"blocked":       {ID: 10, Author: reserve.Author{ID: 2, Relation: reserve.Blocks | reserve.Follows}},
		"blocked_by":    {ID: 10, Author: reserve.Author{ID: 3, Relation: reserve.BlockedBy}},
		"muted":         {ID: 10, Author: reserve.Author{ID: 4, Relation: reserve.Mutes}},
		"author_hidden": {ID: 10, Author: reserve.Author{ID: 6, Relation: reserve.Follows}},
		"not_visible":   {ID: 10, Author: stranger, Gone: true},
		"dated_ahead":   {ID: 10, Author: stranger, Created: 1001},
		"hidden":        {ID: 60, Author: stranger},
	} {
		for kind := range kinds {
			f := v.Reject(kind, p)
			require.NotNil(t, f, name)
			require.Equal(t, name, f.Name)
			require.NotEmpty(t, f.Detail(&v, p.Author))
		}
	}
	require.Equal(t, "seen", v.Reject(Remade, Post{ID: 50, Author: stranger}).Name)
	require.Equal(t, "seen", v.Reject(Ranked, Post{ID: 50, Author: stranger}).Name)
	require.Nil(t, v.Reject(Complete, Post{ID: 50, Author: stranger}), "it gives way where a list is to be complete")
	require.Nil(t, v.Reject(Ranked, Post{ID: 51, Author: stranger, Created: 1000}), "its time has come")
	require.Nil(t, v.Reject(Ranked, Post{ID: 51, Author: reserve.Author{ID: 5, Relation: reserve.Follows}}))
}

// TestAPostIsForItsAudience asks for a stranger, a follower and somebody of affinity, in each kind of list.
func TestAPostIsForItsAudience(t *testing.T) {
	var seen, hidden idset.Set
	v := Viewer{Seen: &seen, Hidden: &hidden}
	v.Begin(NewSet(All(), prometheus.NewRegistry()), 1)
	empty := func(context.Context, int) ([]core.ID, error) { return nil, nil }
	private := absent.NewPrivate(absent.DefaultConfig(), time.Hour, empty, nil, core.SystemClock{},
		prometheus.NewRegistry(), zap.NewNop())
	stranger, followed := reserve.Author{ID: 2, Interactions: 9}, reserve.Author{ID: 2, Relation: reserve.Follows}
	mutual, fan := reserve.Author{ID: 2, Relation: reserve.Mutual}, reserve.Author{ID: 2, Relation: reserve.FollowsBack}
	member := false
	shown := func(kind Kind, author reserve.Author, audience core.Audience) bool {
		f := v.Reject(kind, Post{ID: 10, Author: author, Audience: audience, Member: member})
		if f != nil {
			require.Equal(t, "audience", f.Name)
			require.NotEmpty(t, f.Detail(&v, author))
		}
		return f == nil
	}
	for _, kind := range []Kind{Ranked, Remade, Complete} {
		for audience, want := range map[core.Audience][3]bool{
			core.Public:    {true, true, true},
			core.Unlisted:  {false, true, true},
			core.Followers: {false, true, true},
			core.Mutuals:   {false, false, true},
			core.Direct:    {false, false, false},
			core.Members:   {false, false, false},
		} {
			require.Equal(t, want[0], shown(kind, fan, audience), "audience %d for whom the author follows", audience)
			require.Equal(t, want[2], shown(kind, mutual, audience), "audience %d for a mutual", audience)
			require.Equal(t, want[0], shown(kind, stranger, audience), "audience %d for a stranger", audience)
			require.Equal(t, want[1], shown(kind, followed, audience), "audience %d for a follower", audience)
		}
	}
	for _, kind := range []Kind{Ranked, Remade, Complete} {
		member = true
		require.True(t, shown(kind, stranger, core.Members))
		require.False(t, shown(kind, mutual, core.Direct))
		member = false
	}
	for audience := core.Public; audience <= core.Members; audience++ {
		require.Equal(t, audience == core.Public, shown(Everybody, followed, audience), "%d for everybody", audience)
		require.Equal(t, audience == core.Public, shown(Everybody, mutual, audience), "%d for everybody", audience)
	}

	v.Private = private.Set
	require.False(t, shown(Ranked, stranger, core.Public), "as long as it is not known whose account is private")
	require.True(t, shown(Ranked, followed, core.Public))
	require.NoError(t, private.Start(t.Context()))
	defer func() { require.NoError(t, private.Stop(context.Background())) }()
	require.True(t, shown(Ranked, stranger, core.Public))
	private.Apply([]core.Change{{Kind: core.UserBack, Viewer: 2, Private: true}})
	require.False(t, shown(Complete, stranger, core.Public))
	require.False(t, shown(Everybody, followed, core.Public))
	require.True(t, shown(Complete, followed, core.Public))
	member = true
	require.False(t, shown(Complete, stranger, core.Members), "of a private account for members who follow it")
	require.True(t, shown(Complete, followed, core.Members))
	require.False(t, shown(Everybody, followed, core.Members))
	member = false
	require.Equal(t, []core.ID{2}, private.Apply([]core.Change{{Kind: core.UserBack, Viewer: 2}}))
	require.True(t, shown(Ranked, stranger, core.Public))
}

// TestWhoOptsOutIsShownToFollowersAlone asks for a stranger, a follower and a member, in each kind of list.
func TestWhoOptsOutIsShownToFollowersAlone(t *testing.T) {
	var seen, hidden idset.Set
	v := Viewer{Seen: &seen, Hidden: &hidden}
	v.Begin(NewSet(All(), prometheus.NewRegistry()), 1)
	empty := func(context.Context, int) ([]core.ID, error) { return nil, nil }
	optedOut := absent.NewOptedOut(absent.DefaultConfig(), time.Hour, empty, nil, core.SystemClock{},
		prometheus.NewRegistry(), zap.NewNop())
	v.OptedOut = optedOut.Set
	stranger, followed := reserve.Author{ID: 2, Interactions: 9}, reserve.Author{ID: 2, Relation: reserve.Follows}
	shown := func(kind Kind, author reserve.Author, audience core.Audience) bool {
		f := v.Reject(kind, Post{ID: 10, Author: author, Audience: audience, Member: true})
		if f != nil {
			require.Equal(t, "audience", f.Name)
			if author.Relation == 0 {
				require.Contains(t, f.Detail(&v, author), "recommended")
			}
		}
		return f == nil
	}
	require.False(t, shown(Ranked, stranger, core.Public), "as long as it is not known who opted out")
	require.True(t, shown(Ranked, followed, core.Public))
	require.NoError(t, optedOut.Start(t.Context()))
	defer func() { require.NoError(t, optedOut.Stop(context.Background())) }()
	require.True(t, shown(Ranked, stranger, core.Public))
	require.Empty(t, optedOut.Apply([]core.Change{{Kind: core.UserBack, Viewer: 2, NoDiscovery: true}}))
	for _, kind := range []Kind{Ranked, Remade, Complete} {
		require.False(t, shown(kind, stranger, core.Public))
		require.True(t, shown(kind, followed, core.Public))
		require.True(t, shown(kind, stranger, core.Members), "the members of a group are no strangers")
	}
	require.False(t, shown(Everybody, followed, core.Public))
	require.Equal(t, []core.ID{2}, optedOut.Apply([]core.Change{{Kind: core.UserBack, Viewer: 2}}))
	require.True(t, shown(Everybody, stranger, core.Public))
	require.Nil(t, absent.OptedOut{}.Apply([]core.Change{{Kind: core.UserGone, Viewer: 2}}))
}

// TestAFilterIsWhole holds what every path relies on.
func TestAFilterIsWhole(t *testing.T) {
	names := map[string]bool{}
	for _, f := range All() {
		require.False(t, names[f.Name], "%s is there twice", f.Name)
		names[f.Name] = true
		ways := 0
		for _, is := range []bool{
			f.Relation != 0, f.Own, f.Gone, f.Ahead, f.Audience, f.Labels, f.Posts != nil, f.Author != nil,
			f.Post != nil,
		} {
			if is {
				ways++
			}
		}
		require.Equal(t, 1, ways, "%s: one of the nine ways", f.Name)
		require.NotNil(t, f.Detail, f.Name)
		require.False(t, f.Kinds != nil && f.Post == nil && f.Posts == nil,
			"%s: a filter on authors holds in every list", f.Name)
	}
}

// TestLabelsAreAskedAboutByEachRule asks for a stranger, a follower and one in the post's group.
func TestLabelsAreAskedAboutByEachRule(t *testing.T) {
	var seen, hidden idset.Set
	v := Viewer{Seen: &seen, Hidden: &hidden}
	v.Begin(NewSet(All(), prometheus.NewRegistry()), 1)
	stranger, followed := reserve.Author{ID: 2, Interactions: 9}, reserve.Author{ID: 2, Relation: reserve.Follows}
	shown := func(kind Kind, p Post) bool {
		p.ID = 10
		f := v.Reject(kind, p)
		if f != nil {
			require.Equal(t, "label", f.Name)
			require.NotEmpty(t, f.Detail(&v, p.Author))
		}
		return f == nil
	}
	labels := core.LabelsOf[core.ID](5, 7)
	require.True(t, shown(Ranked, Post{Author: stranger, Labels: labels}), "no rule holds")

	v.Labels = LabelRules{Discovery: []core.ID{6, 7}}
	for kind := range kinds {
		require.False(t, shown(kind, Post{Author: stranger, Labels: labels}))
		require.Equal(t, core.ID(7), v.RejectedLabel())
		require.True(t, shown(kind, Post{Author: stranger, Labels: core.LabelsOf[core.ID](5)}))
		require.True(t, shown(kind, Post{Author: stranger}))
		require.True(t, shown(kind, Post{Author: stranger, Labels: labels, Unlabelled: true}), "it is asked again")
		require.Equal(t, kind != Everybody, shown(kind, Post{Author: followed, Labels: labels}))
		require.Equal(t, kind != Everybody, shown(kind, Post{Author: stranger, Labels: labels, InGroup: true}))
	}

	v.Labels = LabelRules{Wanted: [][]core.ID{{4, 5}, {7, 8}}}
	for kind := range kinds {
		require.True(t, shown(kind, Post{Author: followed, Labels: labels}))
		require.False(t, shown(kind, Post{Author: followed, Labels: core.LabelsOf[core.ID](4, 5)}))
		require.Zero(t, v.RejectedLabel(), "it lacks one")
		require.False(t, shown(kind, Post{Author: followed}))
	}
}
