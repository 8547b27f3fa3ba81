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

// rule is what why-not says of a post of the viewer's.
func (p *program) rule(post core.ID) string {
	p.t.Helper()
	var why struct {
		Rule string `json:"rule"`
	}
	path := fmt.Sprintf("/admin/v1/why-not?user=%s&post=%s", viewer, post)
	require.NoError(p.t, json.Unmarshal(p.admin(http.MethodGet, path, http.StatusOK), &why))
	return why.Rule
}

// authors are those of the posts of a list.
func (p *program) authors(user core.ID, path string) (all []core.ID) {
	p.t.Helper()
	status, body := p.call(http.MethodGet, path, user, "")
	require.Equal(p.t, http.StatusOK, status, string(body))
	var now page
	require.NoError(p.t, json.Unmarshal(body, &now))
	for _, item := range now.Items {
		all = append(all, item.Author)
	}
	return all
}

// everywhere are the paths on which an author may be met, each with whether they are met there now.
func everywhere(p *program, author core.ID, session string) map[string]func() bool {
	list := func(user core.ID, path string) func() bool {
		return func() bool { return slices.Contains(p.authors(user, path), author) }
	}
	return map[string]func() bool{
		"a page":              list(viewer, "/api/v1/feed?limit=100"),
		"a stranger's page":   list(13, "/api/v1/feed?limit=100"),
		"a later page":        list(viewer, "/api/v1/feed?limit=100&cursor="+session),
		"a timeline":          list(viewer, "/api/v1/feed?limit=100&algo=timeline"),
		"trending of a day":   list(viewer, "/api/v1/feed/trending?window=24h"),
		"trending of a week":  list(viewer, "/api/v1/feed/trending?window=7d"),
		"a suggestion":        func() bool { return p.suggested(15).has(author) },
		"a reason to suggest": func() bool { return p.suggested(viewer).has(19) },
	}
}

// met waits until an author is met on each path, or on none.
func (p *program) met(want bool, why string, paths map[string]func() bool) {
	p.t.Helper()
	for name, shows := range paths {
		p.eventually(fmt.Sprintf("%s: %s: %t", why, name, want), func() bool { return shows() == want })
	}
}

// sharedPost is a new post that a follower's feed has, with the world, and that others have shared.
func (p *program) sharedPost(s *stack.Stack, author, follower core.ID) core.ID {
	p.t.Helper()
	post := insertPost(p.t, s, author)
	p.eventually("the posts reach the feed", func() bool {
		_, now := p.feed(follower, "limit=100")
		return slices.Contains(now.posts(), post) && len(now.Items) >= 60
	})
	for user := core.ID(4); user < 12; user++ {
		p.act(user, "impression", post, author)
		p.act(user, "share", post, author)
	}
	return post
}

// timelineFrom is the viewer's timeline once a post begins it: whom they follow is known then.
func (p *program) timelineFrom(post core.ID) (first page) {
	p.t.Helper()
	p.eventually("whom the viewer follows is known", func() bool {
		_, first = p.feed(viewer, "limit=1&algo=timeline")
		return slices.Equal([]core.ID{post}, first.posts())
	})
	return first
}

// TestAuthorsWhoAreSuspendedLeaveEveryPathAndComeBack changes an author's row in the app and looks wherever posts and
// people are shown.
func TestAuthorsWhoAreSuspendedLeaveEveryPathAndComeBack(t *testing.T) {
	s := stack.Own(t)
	exec(t, s, `ALTER TABLE users ADD suspended_at timestamptz, ADD state text NOT NULL DEFAULT 'active'`)
	cfg := settings(t, s, "all")
	cfg.CDC.Tables.User.HiddenWhen = []mapping.Condition{{Column: "suspended_at", Is: "set"}}
	cfg.CDC.Tables.User.GoneWhen = []mapping.Condition{{Column: "state", In: []string{"deleted"}}}
	p := start(t, cfg)
	world(t, s)
	const author = core.ID(2)
	exec(t, s, `INSERT INTO follows (follower_id, followee_id) VALUES (15, 16), (16, 2), (2, 19)`)
	post := p.sharedPost(s, author, viewer)
	first := p.timelineFrom(post)
	paths := everywhere(p, author, first.NextCursor)
	p.met(true, "at first", paths)
	require.NotEqual(t, "author_hidden", p.rule(post))

	for why, change := range map[string][2]string{
		"suspended": {`suspended_at = now()`, `suspended_at = NULL`},
		"deleted":   {`state = 'deleted'`, `state = 'active'`},
	} {
		exec(t, s, `UPDATE users SET `+change[0]+` WHERE id = 2`)
		p.met(false, why, paths)
		require.Equal(t, "author_hidden", p.rule(post))
		exec(t, s, `UPDATE users SET `+change[1]+` WHERE id = 2`)
		p.met(true, "after "+why, paths)
	}

	require.NoError(t, s.Servers.ClickHouse.Kill())
	exec(t, s, `UPDATE users SET suspended_at = now() WHERE id = 2`)
	p.met(false, "suspended, ClickHouse away", paths)
	cfg.Roles = []string{"api"} // which knows nothing but what PostgreSQL says
	fresh := running(t, cfg)
	require.NotEmpty(t, fresh.authors(viewer, "/api/v1/feed?limit=100"))
	for _, path := range []string{"a page", "a stranger's page", "a timeline"} {
		require.False(t, everywhere(fresh, author, first.NextCursor)[path](), "a new replica, %s", path)
	}
	exec(t, s, `UPDATE users SET suspended_at = NULL WHERE id = 2`)
	for _, one := range []*program{p, fresh} {
		one.eventually("after suspended, ClickHouse away", everywhere(one, author, first.NextCursor)["a page"])
	}
	require.NoError(t, s.Servers.ClickHouse.Start(t.Context()))
	p.met(true, "ClickHouse is back", paths)
}
