package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/stack"
)

// TestWhoOptsOutIsRecommendedToNobodyAndFollowedAsBefore changes an author's row in the app and looks wherever posts and
// people are shown, with ClickHouse there and away, and in a replica that starts while it is away.
func TestWhoOptsOutIsRecommendedToNobodyAndFollowedAsBefore(t *testing.T) {
	s := stack.Own(t)
	exec(t, s, `ALTER TABLE users ADD discoverable boolean DEFAULT true`)
	cfg := settings(t, s, "all")
	cfg.CDC.Tables.User.NoDiscoveryWhen = []mapping.Condition{{Column: "discoverable", Is: "false"}}
	p := start(t, cfg)
	world(t, s)
	const author = core.ID(2)
	exec(t, s, `INSERT INTO follows (follower_id, followee_id) VALUES (15, 16), (16, 2), (2, 19)`)
	post := p.sharedPost(s, author, viewer)
	first := p.timelineFrom(post)
	of := func(p *program, names ...string) map[string]func() bool {
		all, some := everywhere(p, author, first.NextCursor), map[string]func() bool{}
		for _, name := range names {
			require.Contains(t, all, name)
			some[name] = all[name]
		}
		return some
	}
	followers := of(p, "a page", "a later page", "a timeline")
	found := of(p, "a stranger's page", "trending of a day", "trending of a week", "a suggestion", "a reason to suggest")
	p.met(true, "at first", followers)
	p.met(true, "at first", found)
	for _, change := range []string{"false", "NULL"} {
		exec(t, s, `UPDATE users SET discoverable = `+change+` WHERE id = 2`)
		p.met(false, change, found)
		p.met(true, change, followers)
		exec(t, s, `UPDATE users SET discoverable = true WHERE id = 2`)
		p.met(true, "after "+change, found)
	}
	exec(t, s, `UPDATE users SET discoverable = false WHERE id = 2`)
	exec(t, s, `DELETE FROM follows WHERE follower_id = 1 AND followee_id = 2`)
	p.eventually("unfollowed", func() bool { return p.rule(post) == "audience" })
	exec(t, s, `INSERT INTO follows (follower_id, followee_id) VALUES (1, 2)`)
	p.met(true, "followed again", followers)
	exec(t, s, `UPDATE users SET discoverable = true WHERE id = 2`)
	p.met(true, "before ClickHouse goes", found)

	require.NoError(t, s.Servers.ClickHouse.Kill())
	exec(t, s, `UPDATE users SET discoverable = false WHERE id = 2`)
	away := of(p, "a stranger's page", "a suggestion", "a reason to suggest", "trending of a day")
	p.met(false, "opted out, ClickHouse away", away)
	p.met(true, "opted out, ClickHouse away", followers)
	cfg.Roles = []string{"api"} // which knows nothing but what PostgreSQL says
	fresh := running(t, cfg)
	fresh.met(false, "a new replica", of(fresh, "a stranger's page", "a suggestion"))
	fresh.met(true, "a new replica", of(fresh, "a page", "a timeline"))
	require.NoError(t, s.Servers.ClickHouse.Start(t.Context()))
	p.met(false, "ClickHouse is back", found)
	exec(t, s, `UPDATE users SET discoverable = true WHERE id = 2`)
	p.met(true, "at last", found)
}
