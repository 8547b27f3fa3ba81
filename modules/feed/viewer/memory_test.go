package viewer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/store"
)

func marked(now time.Time, posts ...core.ID) (b []byte) {
	for _, post := range posts {
		b = marks.Append(b, post, now.Add(-time.Minute))
	}
	return b
}

func TestWhatIsRememberedCountsThoughRedisHasLostIt(t *testing.T) {
	m, err := NewMemory(10, store.DefaultConfig())
	require.NoError(t, err)
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	whole := store.State{Seen: marked(now, 1, 2), Hidden: marked(now, 3)}
	require.Empty(t, m.Keep(7, whole, now))
	sees := func(state store.State) (seen, hidden []core.ID) {
		var s SeenHidden
		m.Read(&s, 7, state, now, now.Add(time.Hour))
		for post := range core.ID(10) {
			if s.Seen.Has(post) {
				seen = append(seen, post)
			}
			if s.Hidden.Has(post) {
				hidden = append(hidden, post)
			}
		}
		return seen, hidden
	}
	for name, state := range map[string]store.State{
		"all is there": whole, "all is lost": {}, "seen posts are lost": {Hidden: whole.Hidden},
		"hidden posts are lost": {Seen: whole.Seen}, "some are lost": {Seen: marked(now, 2), Hidden: whole.Hidden},
	} {
		seen, hidden := sees(state)
		require.Equal(t, []core.ID{1, 2}, seen, name)
		require.Equal(t, []core.ID{3}, hidden, name)
	}
	require.Equal(t, whole.Hidden, m.Keep(7, store.State{Seen: whole.Seen}, now), "given back")

	m.Hide(7, []core.HiddenPost{{Post: 4, At: now}})
	_, hidden := sees(whole)
	require.Equal(t, []core.ID{3, 4}, hidden)
	m.Hide(7, []core.HiddenPost{{Post: 4, At: now.Add(time.Second), Back: true}})
	_, hidden = sees(whole)
	require.Equal(t, []core.ID{3}, hidden)
}

// BenchmarkRead is of a viewer who saw 500 posts and hid 20, whom Redis and this replica know alike.
func BenchmarkRead(b *testing.B) {
	m, err := NewMemory(10, store.DefaultConfig())
	require.NoError(b, err)
	now := time.Now()
	var state store.State
	for post := range core.ID(500) {
		state.Seen = marks.Append(state.Seen, 1+post, now.Add(-time.Minute))
	}
	for post := range core.ID(20) {
		state.Hidden = marks.Append(state.Hidden, 1000+post, now.Add(-time.Minute))
	}
	m.Keep(7, state, now)
	var s SeenHidden
	b.ReportAllocs()
	for b.Loop() {
		m.Read(&s, 7, state, now, now.Add(time.Hour))
	}
}
