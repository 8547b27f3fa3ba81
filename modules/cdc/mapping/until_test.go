package mapping_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
)

// TestAMuteEndsWhenItsColumnsSay reads when, and leaves it to time: the row itself is there as long as the app has it.
func TestAMuteEndsWhenItsColumnsSay(t *testing.T) {
	c := mapping.Default()
	c.Mute.GoneWhen = []mapping.Condition{{Column: "expires_at", Is: "past"}, {Column: "lifted", Is: "true"}}
	c.Block.OnlyWhen = []mapping.Condition{{Column: "until", Is: "future"}}
	c.Block.TimeZone = "Asia/Tokyo"
	m, err := mapping.New(c, "cdc")
	require.NoError(t, err)
	mutes, blocks := m.Of(mapping.Mute), m.Of(mapping.Block)
	require.True(t, mutes.HasEnds())
	require.False(t, m.Of(mapping.Follow).HasEnds())
	require.Contains(t, mutes.NeededColumns(), "expires_at")

	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	const mute = `{"muter_id":1,"muted_id":2,"created_at":"2026-01-01T00:00:00Z",`
	for text, want := range map[string]struct {
		until time.Time
		gone  bool
	}{
		mute + `"expires_at":"2026-05-01T12:00:00Z","lifted":false}`: {at, false},
		mute + `"expires_at":"2001-05-01T12:00:00Z","lifted":false}`: {at.AddDate(-25, 0, 0), false},
		mute + `"expires_at":null,"lifted":false}`:                   {time.Time{}, false},
		mute + `"expires_at":"2026-05-01T12:00:00Z","lifted":true}`:  {at, true},
	} {
		got, err := mutes.Alive(row(t, `{"muter_id":1,"muted_id":2}`), row(t, text))
		require.NoError(t, err, text)
		require.Equal(t, want.until, got.Until, text)
		require.Equal(t, want.gone, got.Gone, text)
	}

	const block = `{"blocker_id":1,"blocked_id":2,"created_at":"2026-01-01T00:00:00",`
	got, err := blocks.Alive(row(t, `{"blocker_id":1,"blocked_id":2}`), row(t, block+`"until":"2026-05-01T21:00:00"}`))
	require.NoError(t, err)
	require.Equal(t, at, got.Until.UTC(), "a time without a zone is of the table's")
	got, err = blocks.Alive(row(t, `{"blocker_id":1,"blocked_id":2}`), row(t, block+`"until":null}`))
	require.NoError(t, err)
	require.True(t, got.Gone, "what is not future, only_when leaves out")
	_, err = mutes.Alive(row(t, `{"muter_id":1,"muted_id":2}`), row(t, mute+`"expires_at":"soon","lifted":false}`))
	require.ErrorContains(t, err, "expires_at")
}

func TestWhatCannotEndIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*mapping.Config)
		key    string
	}{
		"a follow": {func(c *mapping.Config) {
			c.Follow.GoneWhen = []mapping.Condition{{Column: "x", Is: "past"}}
		}, "follow.gone_when[0]"},
		"a post that is hidden for a time": {func(c *mapping.Config) {
			c.Post.HiddenWhen = []mapping.Condition{{Column: "x", Is: "future"}}
		}, "post.hidden_when[0]"},
		"a mute that begins later": {func(c *mapping.Config) {
			c.Mute.GoneWhen = []mapping.Condition{{Column: "x", Is: "future"}}
		}, "mute.gone_when[0]"},
		"a block of the past": {func(c *mapping.Config) {
			c.Block.OnlyWhen = []mapping.Condition{{Column: "x", Is: "past"}}
		}, "block.only_when[0]"},
	} {
		cfg := mapping.Default()
		c.change(&cfg)
		require.Contains(t, cfg.Check()[c.key], "end", name)
	}
}
