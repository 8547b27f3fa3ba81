package filters

import (
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
	v := Viewer{Seen: &seen, Hidden: &hidden, SeenFor: time.Hour}
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
	require.Nil(t, v.Reject(Ranked, Post{ID: 51, Author: reserve.Author{ID: 5, Relation: reserve.Follows}}))
}

// TestAFilterIsWhole holds what every path relies on.
func TestAFilterIsWhole(t *testing.T) {
	names := map[string]bool{}
	for _, f := range All() {
		require.False(t, names[f.Name], "%s is there twice", f.Name)
		names[f.Name] = true
		ways := 0
		for _, is := range []bool{f.Relation != 0, f.Own, f.Gone, f.Posts != nil, f.Author != nil, f.Post != nil} {
			if is {
				ways++
			}
		}
		require.Equal(t, 1, ways, "%s: one of the six ways", f.Name)
		require.NotNil(t, f.Detail, f.Name)
		require.False(t, f.Kinds != nil && f.Post == nil && f.Posts == nil,
			"%s: a filter on authors holds in every list", f.Name)
	}
}
