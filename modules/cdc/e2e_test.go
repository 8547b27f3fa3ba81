package cdc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/wait"
)

func TestEveryOperationReachesClickHouse(t *testing.T) {
	c := newChain(t)
	c.exec(world(50)) // the snapshot finds these
	c.start()
	c.requireEqual()

	c.exec(
		`INSERT INTO users (id, name) VALUES (1001, 'Ada'), (1002, 'Grace | "quoted" \ ü')`,
		`INSERT INTO posts (id, author_id, body) VALUES (5001, 1001, 'first'), (5002, 1002, 'second')`,
		`UPDATE posts SET body = 'edited', created_at = created_at - interval '1 minute' WHERE id = 5001`,
		`UPDATE posts SET status = 'draft' WHERE id = 5002`,
		`UPDATE posts SET deleted_at = now() WHERE id = 3`,
		`DELETE FROM posts WHERE id = 7`,
		`INSERT INTO follows (follower_id, followee_id) VALUES (1001, 1002), (1002, 1001)`,
		`DELETE FROM follows WHERE follower_id = 1002`,
		`INSERT INTO blocks (blocker_id, blocked_id) VALUES (1001, 5)`,
		`DELETE FROM blocks WHERE blocker_id = 1`,
		`INSERT INTO mutes (muter_id, muted_id) VALUES (1002, 6)`,
		`DELETE FROM likes WHERE user_id = 3`,
		`DELETE FROM comments WHERE id IN (1, 2)`,
		`UPDATE users SET name = 'Renamed', created_at = created_at - interval '1 minute' WHERE id = 4`,
		`DELETE FROM users WHERE id = 9`, // and all that hangs on it
	)
	c.requireEqual()
	require.Empty(t, c.letters.list())
	for _, want := range []core.Change{
		{Kind: core.Followed, Viewer: 1001, Other: 1002},
		{Kind: core.Unfollowed, Viewer: 1002, Other: 1001},
		{Kind: core.Blocked, Viewer: 1001, Other: 5},
		{Kind: core.Unblocked, Viewer: 1, Other: 2},
		{Kind: core.Muted, Viewer: 1002, Other: 6},
		{Kind: core.PostPut, Post: core.Post{ID: 5001}},
		{Kind: core.PostDeleted, Post: core.Post{ID: 7}},
		{Kind: core.UserGone, Viewer: 9},
	} {
		wait.Until(t, func() bool { return c.changes.has(want) }, "%+v", want)
	}
	require.False(t, c.changes.has(core.Change{Kind: core.UserBack, Viewer: 1001}),
		"of whom nobody knew, nobody holds anything")
}
