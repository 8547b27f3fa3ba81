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

func TestAPostIsForTheMembersOfItsGroup(t *testing.T) {
	c := mapping.Default()
	c.Post.HiddenWhen = nil
	c.Post.Columns["group_id"] = "community"
	require.Contains(t, c.Check()["post.columns.group_id"], "member.table", "nobody would get them")
	c.Post.MembersWhen = []mapping.Condition{{Column: "closed", Is: "true"}}
	require.Contains(t, c.Check()["post.members_when"], "member.table")
	c.Member = mapping.Table{
		Table: "public.memberships", Columns: map[string]string{"user_id": "person", "group_id": "community"},
		OnlyWhen: []mapping.Condition{{Column: "state", In: []string{"accepted"}}},
	}
	require.Empty(t, c.Check())
	require.True(t, c.Restricts())
	open := c
	open.Post.MembersWhen = nil
	require.Empty(t, open.Check(), "everybody may see the posts, and members get them")
	require.False(t, open.Restricts())
	without := c
	without.Post.Columns = map[string]string{"group_id": ""}
	require.Contains(t, without.Check()["post.columns.group_id"], "is empty")
	without.Post.Columns = map[string]string{}
	require.Contains(t, without.Check()["post.members_when"], "group_id")

	c.Keys.Groups = core.UUIDKeys
	m, err := mapping.New(c, "cdc")
	require.NoError(t, err)
	posts, members := m.Of(mapping.Post), m.Of(mapping.Member)
	require.Equal(t, []string{"author_id", "closed", "community", "created_at", "id"}, posts.NeededColumns())
	require.Equal(t, "community", posts.ColumnKeys()["columns.group_id"])
	require.Contains(t, posts.Refers(), mapping.Refers{Field: "group_id", Column: "community", To: mapping.Group})
	require.Equal(t, core.UUIDKeys, members.Form("group_id"))
	require.Equal(t, core.IntegerKeys, members.Form("user_id"))
	const group = "0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f"
	key, err := core.ParseKey(group)
	require.NoError(t, err)
	const post = `{"id":1,"author_id":2,"created_at":"2026-01-01T00:00:00Z","community":`
	for text, want := range map[string]core.Post{
		`"` + group + `","closed":true}`:  {Audience: core.Members, Group: key.ID},
		`"` + group + `","closed":false}`: {Group: key.ID},
		`null,"closed":true}`:             {Audience: core.Members},
		`null,"closed":false}`:            {},
	} {
		got, err := posts.Alive(row(t, `{"id":1}`), row(t, post+text))
		require.NoError(t, err, text)
		told := mapping.PostChange(got, time.Time{}).Post
		require.Equal(t, want, core.Post{Audience: told.Audience, Group: told.Group}, text)
	}
	const membership = `{"person":7,"community":"` + group + `","created_at":"2026-01-01T00:00:00Z","state":`
	got, err := members.Alive(row(t, `{"id":3}`), row(t, membership+`"accepted"}`))
	require.NoError(t, err)
	require.Equal(t, []mapping.Edge{{Viewer: 7, Kind: mapping.EdgeMember, Other: int64(key.ID), Key: "3"}},
		mapping.Member.Edges(got))
	change, ok := mapping.EdgeChange(mapping.Member.Edges(got)[0], false)
	require.True(t, ok)
	require.Equal(t, core.Change{Kind: core.JoinedGroup, Viewer: 7, Other: key.ID}, change)
	require.Equal(t, []int64{7}, members.People(got, row(t, `{"id":3}`)), "a group is nobody")
	got, err = members.Alive(row(t, `{"id":3}`), row(t, membership+`"asked"}`))
	require.NoError(t, err)
	require.True(t, got.Gone)
	require.Empty(t, mapping.Member.Edges(got))
}

func TestWhoOptsOutOfBeingRecommendedIsSaidByConditions(t *testing.T) {
	c := mapping.Default()
	c.User.NoDiscoveryWhen = []mapping.Condition{{Column: "discoverable", Is: "false"}}
	require.False(t, c.Restricts(), "followers have the posts as before")
	m, err := mapping.New(c, "cdc")
	require.NoError(t, err)
	users := m.Of(mapping.User)
	require.True(t, users.MayReturn())
	require.Contains(t, users.NeededColumns(), "discoverable")
	require.Equal(t, "discoverable", users.ColumnKeys()["no_discovery_when[0].column"])
	for text, want := range map[string]bool{
		`"discoverable":true}`: false, `"discoverable":false}`: true, `"discoverable":null}`: true,
		`"discoverable":"perhaps"}`: true,
	} {
		got, err := users.Alive(row(t, `{"id":1}`), row(t, `{"id":1,"created_at":"2026-01-01T00:00:00Z",`+text))
		require.NoError(t, err, text)
		require.Equal(t, text == `"discoverable":"perhaps"}`, got.AudienceUnknown != "", text)
		want := core.Change{Kind: core.UserBack, Viewer: 1, NoDiscovery: want}
		require.Equal(t, want, mapping.UserChange(got, time.Time{}), text)
	}
	_, err = users.Alive(row(t, `{"id":1}`),
		row(t, `{"id":1,"created_at":"2026-01-01T00:00:00Z","discoverable":"__debezium_unavailable_value"}`))
	require.Equal(t, envelope.ReasonUnavailable, envelope.ReasonOf(err))
}

func TestAHideIsOfAPostByAViewer(t *testing.T) {
	c := mapping.Default()
	c.Keys.Posts = core.UUIDKeys
	c.Hide = mapping.Table{
		Table: "public.dismissals", Columns: map[string]string{"user_id": "person"},
		GoneWhen: []mapping.Condition{{Column: "undone", Is: "true"}},
	}
	require.Empty(t, c.Check())
	require.False(t, c.Restricts())
	m, err := mapping.New(c, "cdc")
	require.NoError(t, err)
	hides := m.Of(mapping.Hide)
	require.Equal(t, core.UUIDKeys, hides.Form("post_id"))
	require.Contains(t, hides.Refers(), mapping.Refers{Field: "post_id", Column: "post_id", To: mapping.Post})
	require.Equal(t, []string{"person"}, hides.PeopleColumns())
	key, err := core.ParseKey("0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f")
	require.NoError(t, err)
	const hide = `{"person":7,"post_id":"0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f","created_at":"2026-01-01T00:00:00Z","undone":`
	got, err := hides.Alive(row(t, `{"id":3}`), row(t, hide+`false}`))
	require.NoError(t, err)
	edges := mapping.Hide.Edges(got)
	require.Equal(t, []mapping.Edge{{Viewer: 7, Kind: mapping.EdgeHide, Other: int64(key.ID), Key: "3"}}, edges)
	for gone, want := range map[bool]core.ChangeKind{false: core.HidPost, true: core.UnhidPost} {
		change, ok := mapping.EdgeChange(edges[0], gone)
		require.True(t, ok)
		require.Equal(t, core.Change{Kind: want, Viewer: 7, Other: key.ID}, change)
	}
	require.Equal(t, []int64{7}, hides.People(got, row(t, `{"id":3}`)), "a post is nobody")
	got, err = hides.Alive(row(t, `{"id":3}`), row(t, hide+`true}`))
	require.NoError(t, err)
	require.True(t, got.Gone)
	require.Empty(t, mapping.Hide.Edges(got))
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
