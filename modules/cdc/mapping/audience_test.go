package mapping_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
)

func TestAPostHasTheStrictestAudienceThatHolds(t *testing.T) {
	c := mapping.Default()
	require.False(t, c.Restricts())
	c.Post.HiddenWhen = nil
	c.Post.UnlistedWhen = []mapping.Condition{{Column: "who", In: []string{"unlisted"}}, {Column: "quiet", Is: "true"}}
	c.Post.FollowersWhen = []mapping.Condition{{Column: "who", In: []string{"followers"}}}
	c.Post.DirectWhen = []mapping.Condition{{Column: "who", In: []string{"direct"}}}
	require.False(t, c.HasMutuals())
	c.Post.MutualsWhen = []mapping.Condition{{Column: "who", In: []string{"mutuals"}}}
	require.True(t, c.HasMutuals())
	require.True(t, c.Restricts())
	m, err := mapping.New(c, "cdc")
	require.NoError(t, err)
	posts := m.Of(mapping.Post)
	require.Equal(t, []string{"author_id", "created_at", "id", "quiet", "who"}, posts.NeededColumns())
	require.Equal(t, "quiet", posts.ColumnKeys()["unlisted_when[1].column"])
	const post = `{"id":1,"author_id":2,"created_at":"2026-01-01T00:00:00Z",`
	for text, want := range map[string]core.Audience{
		`"who":"public","quiet":false}`:     core.Public,
		`"who":"anything","quiet":null}`:    core.Public, // what is not named
		`"who":"public","quiet":true}`:      core.Unlisted,
		`"who":"unlisted","quiet":false}`:   core.Unlisted,
		`"who":"followers","quiet":true}`:   core.Followers,
		`"who":"mutuals","quiet":true}`:     core.Mutuals,
		`"who":"direct","quiet":true}`:      core.Direct,
		`"who":"public","quiet":"perhaps"}`: core.Direct, // cannot be read
		`"who":"public"}`:                   core.Direct, // is not there
	} {
		got, err := posts.Alive(row(t, `{"id":1}`), row(t, post+text))
		require.NoError(t, err, text)
		require.Equal(t, want, got.Audience, text)
		require.Equal(t, text == `"who":"public"}` || text == `"who":"public","quiet":"perhaps"}`,
			got.AudienceUnknown != "", text)
		require.Equal(t, want, mapping.PostChange(got, time.Time{}).Post.Audience)
	}
	_, err = posts.Alive(row(t, `{"id":1}`), row(t, post+`"who":"__debezium_unavailable_value","quiet":false}`))
	require.Equal(t, envelope.ReasonUnavailable, envelope.ReasonOf(err), "the app's table will tell")
}

func TestAnAccountIsPrivateByItsConditions(t *testing.T) {
	c := mapping.Default()
	c.User.PrivateWhen = []mapping.Condition{{Column: "private", Is: "true"}}
	require.True(t, c.Restricts())
	m, err := mapping.New(c, "cdc")
	require.NoError(t, err)
	for text, want := range map[string]bool{
		`"private":true}`: true, `"private":false}`: false, `"private":"perhaps"}`: true,
	} {
		got, err := m.Of(mapping.User).Alive(row(t, `{"id":1}`),
			row(t, `{"id":1,"created_at":"2026-01-01T00:00:00Z",`+text))
		require.NoError(t, err, text)
		want := core.Change{Kind: core.UserBack, Viewer: 1, Private: want}
		require.Equal(t, want, mapping.UserChange(got, time.Time{}), text)
	}
	c.Follow.PrivateWhen = c.User.PrivateWhen
	c.Like.DirectWhen = c.User.PrivateWhen
	c.Mute.MutualsWhen = c.User.PrivateWhen
	wrong := c.Check()
	require.Contains(t, wrong, "follow.private_when")
	require.Contains(t, wrong, "like.direct_when")
	require.Contains(t, wrong, "mute.mutuals_when")
}
