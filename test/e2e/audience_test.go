package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/stack"
)

// audiences are what a test's app says of who may see a post.
var audiences = map[string]core.Audience{
	"public": core.Public, "unlisted": core.Unlisted, "followers": core.Followers, "direct": core.Direct,
	"mutuals":       core.Mutuals,
	"members":       core.Members,
	"no such thing": core.Direct, // cannot be told from what the mapping lists
}

// shows are the paths on which a viewer may meet a post.
func shows(p *program, user, post core.ID) map[string]func() bool {
	list := func(path string) func() bool {
		return func() bool {
			status, body := p.call(http.MethodGet, path, user, "")
			require.Equal(p.t, http.StatusOK, status, string(body))
			var now page
			require.NoError(p.t, json.Unmarshal(body, &now))
			return slices.Contains(now.posts(), post)
		}
	}
	return map[string]func() bool{
		"a page":     list("/api/v1/feed?limit=100"),
		"a timeline": list("/api/v1/feed?limit=100&algo=timeline"),
		"trending":   list("/api/v1/feed/trending?window=24h"),
		"the week":   list("/api/v1/feed/trending?window=7d"),
	}
}

// TestPostsAreForTheirAudience changes who may see a post, who follows its author and whether the author's account is
// private, and has a stranger, a follower and the author look on every path, with ClickHouse there and away.
func TestPostsAreForTheirAudience(t *testing.T) {
	s := stack.Own(t)
	exec(t, s, `ALTER TABLE users ADD private boolean NOT NULL DEFAULT false`)
	exec(t, s, `ALTER TABLE posts ADD audience text NOT NULL DEFAULT 'public', ADD club bigint`)
	exec(t, s, `CREATE TABLE public.memberships
		(person bigint, club bigint, accepted boolean NOT NULL, PRIMARY KEY (person, club))`)
	cfg := settings(t, s, "all")
	cfg.CDC.Tables.Post.UnlistedWhen = []mapping.Condition{{Column: "audience", In: []string{"unlisted"}}}
	cfg.CDC.Tables.Post.FollowersWhen = []mapping.Condition{{Column: "audience", In: []string{"followers"}}}
	cfg.CDC.Tables.Post.DirectWhen = []mapping.Condition{
		{Column: "audience", NotIn: []string{"public", "unlisted", "followers", "mutuals", "members"}},
	}
	cfg.CDC.Tables.Post.MutualsWhen = []mapping.Condition{{Column: "audience", In: []string{"mutuals"}}}
	cfg.CDC.Tables.Post.Columns["group_id"] = "club"
	cfg.CDC.Tables.Post.MembersWhen = []mapping.Condition{{Column: "audience", In: []string{"members"}}}
	cfg.CDC.Tables.Member = mapping.Table{
		Table: "public.memberships", Columns: map[string]string{"user_id": "person", "group_id": "club"},
		Constants: map[string]string{"created_at": "2026-01-01T00:00:00Z"},
		OnlyWhen:  []mapping.Condition{{Column: "accepted", Is: "true"}},
	}
	cfg.CDC.Tables.User.PrivateWhen = []mapping.Condition{{Column: "private", Is: "true"}}
	p := start(t, cfg)
	world(t, s)
	const (
		author   = core.ID(2)
		follower = viewer
		stranger = core.ID(15)
	)
	exec(t, s, `INSERT INTO follows (follower_id, followee_id) VALUES (15, 16)`)
	exec(t, s, `DELETE FROM follows WHERE follower_id = 2 AND followee_id IN (1, 15)`)
	back, noMore := `INSERT INTO follows (follower_id, followee_id) VALUES (2, 1)`,
		`DELETE FROM follows WHERE follower_id = 2 AND followee_id = 1`
	post := insertPost(t, s, author)
	p.eventually("the post reaches the feed", func() bool {
		_, now := p.feed(follower, "limit=100")
		return slices.Contains(now.posts(), post) && len(now.Items) >= 60
	})
	for user := core.ID(4); user < 12; user++ {
		p.act(user, "impression", post, author)
		p.act(user, "share", post, author)
	}
	paths := []string{"a page", "a timeline", "trending", "the week"}
	// look holds who meets the post where, within the time that a change has to hold.
	look := func(p *program, why string, paths []string, everybody, byFollower bool) {
		t.Helper()
		for _, path := range paths {
			list := path == "trending" || path == "the week"
			for user, want := range map[core.ID]bool{
				follower: everybody || byFollower && !list,
				stranger: everybody && path != "a timeline",
				author:   false,
			} {
				p.eventually(fmt.Sprintf("%s: %s of %s: %t", why, path, user, want),
					func() bool { return shows(p, user, post)[path]() == want })
			}
		}
	}
	look(p, "at first", paths, true, true)
	around := func(p *program, why string, paths []string) {
		t.Helper()
		for _, name := range []string{"unlisted", "followers", "direct", "no such thing"} {
			exec(t, s, `UPDATE posts SET audience = $1 WHERE id = $2`, name, int64(post))
			look(p, why+name, paths, false, audiences[name] < core.Direct)
		}
		exec(t, s, `UPDATE posts SET audience = 'public' WHERE id = $1`, int64(post))
		look(p, why+"public again", paths, true, true)
		exec(t, s, `UPDATE users SET private = true WHERE id = 2`)
		look(p, why+"a private account", paths, false, true)
		exec(t, s, `UPDATE users SET private = false WHERE id = 2`)
		look(p, why+"private no longer", paths, true, true)
	}
	around(p, "", paths)

	exec(t, s, `UPDATE posts SET audience = 'followers' WHERE id = $1`, int64(post))
	look(p, "before the follow is taken back", paths, false, true)
	exec(t, s, `DELETE FROM follows WHERE follower_id = 1 AND followee_id = 2`)
	look(p, "unfollowed", paths, false, false)
	require.Equal(t, "audience", p.rule(post))
	exec(t, s, `INSERT INTO follows (follower_id, followee_id) VALUES (1, 2)`)
	look(p, "followed again", paths, false, true)

	exec(t, s, `UPDATE posts SET audience = 'mutuals' WHERE id = $1`, int64(post))
	look(p, "for mutuals, and the author follows nobody", paths, false, false)
	require.Equal(t, "audience", p.rule(post))
	exec(t, s, back)
	exec(t, s, `INSERT INTO follows (follower_id, followee_id) VALUES (2, 15)`) // who does not follow the author
	look(p, "for mutuals, and the author follows back", paths, false, true)
	exec(t, s, noMore)
	look(p, "for mutuals, and the author does not follow back any more", paths, false, false)
	exec(t, s, back)
	look(p, "for mutuals, and the author follows back again", paths, false, true)

	member := func(user core.ID, accepted bool) {
		t.Helper()
		exec(t, s, `INSERT INTO memberships VALUES ($1, 2, $2) ON CONFLICT (person, club) DO UPDATE SET accepted = $2`,
			int64(user), accepted)
	}
	exec(t, s, `UPDATE posts SET audience = 'members', club = 2 WHERE id = $1`, int64(post)) // the author has this id, too
	look(p, "for members, who are none", paths, false, false)
	require.Equal(t, "audience", p.rule(post))
	member(follower, false)
	look(p, "for members, and the follower only asked to be one", paths, false, false)
	member(follower, true)
	look(p, "for members, of whom the follower is one", paths, false, true)
	exec(t, s, `UPDATE posts SET club = 3 WHERE id = $1`, int64(post))
	look(p, "for members of another group", paths, false, false)
	exec(t, s, `UPDATE posts SET club = 2 WHERE id = $1`, int64(post))
	look(p, "for members again", paths, false, true)
	exec(t, s, `DELETE FROM memberships WHERE person = 1`)
	look(p, "a member no more", paths, false, false)
	member(follower, true)
	look(p, "a member again", paths, false, true)

	exec(t, s, `UPDATE posts SET audience = 'direct' WHERE id = $1`, int64(post))
	look(p, "direct, before ClickHouse goes", paths, false, false)
	require.NoError(t, s.Servers.ClickHouse.Kill())
	cfg.Roles = []string{"api"}
	fresh := running(t, cfg) // which knows nothing but what PostgreSQL says
	for _, one := range []*program{p, fresh} {
		look(one, "direct, ClickHouse away", paths[:2], false, false)
	}
	exec(t, s, `UPDATE posts SET audience = 'followers' WHERE id = $1`, int64(post))
	for _, one := range []*program{p, fresh} {
		look(one, "for followers, ClickHouse away", paths[:2], false, true)
	}
	exec(t, s, `UPDATE posts SET audience = 'members' WHERE id = $1`, int64(post))
	for _, one := range []*program{p, fresh} {
		look(one, "for members, ClickHouse away", paths[:2], false, true)
	}
	member(follower, false)
	for _, one := range []*program{p, fresh} {
		look(one, "a member no more, ClickHouse away", paths[:2], false, false)
	}
	member(follower, true)
	for _, one := range []*program{p, fresh} {
		look(one, "a member again, ClickHouse away", paths[:2], false, true)
	}
	exec(t, s, `UPDATE posts SET audience = 'mutuals' WHERE id = $1`, int64(post))
	for _, one := range []*program{p, fresh} {
		look(one, "for mutuals, ClickHouse away", paths[:2], false, true)
	}
	exec(t, s, noMore)
	for _, one := range []*program{p, fresh} {
		look(one, "not followed back any more, ClickHouse away", paths[:2], false, false)
	}
	exec(t, s, back)
	for _, one := range []*program{p, fresh} {
		look(one, "followed back again, ClickHouse away", paths[:2], false, true)
	}
	exec(t, s, `UPDATE posts SET audience = 'public' WHERE id = $1`, int64(post))
	exec(t, s, `UPDATE users SET private = true WHERE id = 2`)
	for _, one := range []*program{p, fresh} {
		look(one, "a private account, ClickHouse away", paths[:2], false, true)
	}
	require.NoError(t, s.Servers.ClickHouse.Start(t.Context()))
	look(p, "a private account, ClickHouse is back", paths, false, true)
	exec(t, s, `UPDATE users SET private = false WHERE id = 2`)
	look(p, "at last", paths, true, true)
}
