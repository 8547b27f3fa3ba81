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
	exec(t, s, `ALTER TABLE posts ADD audience text NOT NULL DEFAULT 'public'`)
	cfg := settings(t, s, "all")
	cfg.CDC.Tables.Post.UnlistedWhen = []mapping.Condition{{Column: "audience", In: []string{"unlisted"}}}
	cfg.CDC.Tables.Post.FollowersWhen = []mapping.Condition{{Column: "audience", In: []string{"followers"}}}
	cfg.CDC.Tables.Post.DirectWhen = []mapping.Condition{
		{Column: "audience", NotIn: []string{"public", "unlisted", "followers", "mutuals"}},
	}
	cfg.CDC.Tables.Post.MutualsWhen = []mapping.Condition{{Column: "audience", In: []string{"mutuals"}}}
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
