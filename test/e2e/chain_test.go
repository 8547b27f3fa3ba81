package e2e

import (
	"net/http"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

const viewer = core.ID(1)

// world makes 20 users of whom the viewer follows 2 to 10, and 60 posts by users 2 to 19.
func world(t *testing.T, s *stack.Stack) {
	t.Helper()
	exec(t, s, `INSERT INTO users (name) SELECT 'user-' || n FROM generate_series(1, 20) n`)
	exec(t, s, `INSERT INTO follows (follower_id, followee_id) SELECT 1, n FROM generate_series(2, 10) n`)
	exec(t, s, `INSERT INTO posts (author_id, created_at) SELECT 2 + n % 18, now() - n * interval '1 minute' FROM generate_series(1, 60) n`)
}

func exec(t *testing.T, s *stack.Stack, statement string, args ...any) {
	t.Helper()
	_, err := s.Postgres.Exec(t.Context(), statement, args...)
	require.NoError(t, err)
}

// insertPost commits a post and returns its id.
func insertPost(t *testing.T, s *stack.Stack, author core.ID) core.ID {
	t.Helper()
	var id int64
	require.NoError(t, s.Postgres.QueryRow(t.Context(), `INSERT INTO posts (author_id) VALUES ($1) RETURNING id`,
		int64(author)).Scan(&id))
	return core.ID(id)
}

func TestACommitAndAnEventChangeTheFeed(t *testing.T) {
	s := stack.New(t)
	p := start(t, settings(t, s, "all"))
	world(t, s)

	var first page
	p.eventually("the seeded posts reach the feed", func() bool {
		_, first = p.feed(viewer, "limit=50&explain=true")
		return len(first.Items) >= 30
	})
	for _, item := range first.Items {
		require.NotEqual(t, viewer, item.Author, "no own posts")
	}
	unique := slices.Compact(slices.Sorted(slices.Values(first.posts())))
	require.Len(t, unique, len(first.Items), "no post twice")

	liked := first.Items[0]
	p.likeSeen(liked.Post, liked.Author)
	p.eventually("a like counts in the cached feed", func() bool {
		_, now := p.feed(viewer, "limit=50&explain=true")
		return now.likes(liked.Post) == 1
	})

	fresh := insertPost(t, s, 3)
	p.eventually("a new post reaches the cached feed", func() bool {
		_, now := p.feed(viewer, "limit=50")
		return slices.Contains(now.posts(), fresh)
	})
	exec(t, s, `DELETE FROM posts WHERE id = $1`, int64(fresh))
	p.eventually("a deleted post leaves it", func() bool {
		_, now := p.feed(viewer, "limit=50")
		return len(now.Items) > 0 && !slices.Contains(now.posts(), fresh)
	})

	blocked := liked.Author
	exec(t, s, `INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)`, int64(blocked), int64(viewer))
	p.eventually("whoever blocks the viewer leaves their feed", func() bool {
		_, now := p.feed(viewer, "limit=50")
		return len(now.Items) > 0 && !slices.ContainsFunc(now.Items, func(i item) bool { return i.Author == blocked })
	})
}

func TestTheFeedGoesOnWithoutClickHouseAndRecovers(t *testing.T) {
	s := stack.Own(t)
	p := start(t, settings(t, s, "all"))
	world(t, s)
	p.eventually("the seeded posts reach the feed", func() bool {
		_, now := p.feed(viewer, "limit=50")
		return len(now.Items) >= 30
	})
	const stranger = core.ID(11) // has no cached feed
	require.NoError(t, s.Servers.ClickHouse.Kill())
	for _, user := range []core.ID{viewer, stranger} {
		for range 20 {
			status, body := p.call(http.MethodGet, "/api/v1/feed?limit=20", user, "")
			require.Equal(t, http.StatusOK, status, string(body))
			require.NotContains(t, string(body), `"items":[]`, "user %s", user)
		}
	}
	fresh := insertPost(t, s, 3)
	p.eventually("posts still come while ClickHouse is away", func() bool {
		_, now := p.feed(viewer, "limit=50")
		return slices.Contains(now.posts(), fresh)
	})
	p.likeSeen(fresh, 3) // Kafka keeps it

	_, cached := p.feed(viewer, "limit=50")
	first := func(which func(item) bool) item { return cached.Items[slices.IndexFunc(cached.Items, which)] }
	blocked := first(func(i item) bool { return i.Author != 3 })
	hidden := first(func(i item) bool { return i.Author != 3 && i.Author != blocked.Author })
	exec(t, s, `INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)`, int64(viewer), int64(blocked.Author))
	p.act(viewer, "hide", hidden.Post, hidden.Author)
	p.eventually("a block and a hide hold while the consumers wait for ClickHouse", func() bool {
		_, now := p.feed(viewer, "limit=50")
		return len(now.Items) > 0 && !slices.ContainsFunc(now.Items,
			func(i item) bool { return i.Author == blocked.Author || i.Post == hidden.Post })
	})

	require.NoError(t, s.Servers.ClickHouse.Start(t.Context()))
	p.eventually("what happened meanwhile is caught up with", func() bool {
		_, now := p.feed(viewer, "limit=50&explain=true")
		return now.likes(fresh) == 1
	})
	p.eventually("a feed is computed from ClickHouse again", func() bool {
		_, now := p.feed(12, "limit=5")
		return now.ServedFrom == "clickhouse" || now.ServedFrom == "cache"
	})
}

func TestPagesOfOneSessionNeitherRepeatNorSkip(t *testing.T) {
	s := stack.New(t)
	p := start(t, settings(t, s, "all"))
	world(t, s)
	// A session is of what was known when it began: the viewer looks once all is there, and somebody else before.
	p.eventually("the seeded world reaches ClickHouse and feeds", func() bool {
		_, now := p.feed(20, "limit=100")
		return len(now.Items) == 60 &&
			s.Count(t, "SELECT count() AS n FROM viewer_edges FINAL WHERE viewer_id = 1 AND kind = 'follow'") == 9
	})
	var walked []core.ID
	cursor := ""
	for range 20 {
		status, now := p.feed(viewer, "limit=7&cursor="+cursor)
		require.Equal(t, http.StatusOK, status)
		require.False(t, now.Degraded)
		walked = append(walked, now.posts()...)
		if cursor = now.NextCursor; cursor == "" {
			break
		}
		insertPost(t, s, 4)
	}
	unique := slices.Compact(slices.Sorted(slices.Values(walked)))
	require.Len(t, unique, len(walked), "no post twice")
	rows, err := s.Postgres.Query(t.Context(), `SELECT p.id FROM posts p JOIN follows f ON f.followee_id = p.author_id
		WHERE f.follower_id = $1 AND p.created_at < now() - interval '30 seconds'`, int64(viewer))
	require.NoError(t, err)
	followed, err := pgx.CollectRows(rows, pgx.RowTo[core.ID])
	require.NoError(t, err)
	require.Greater(t, len(followed), 3*7)
	require.Subset(t, walked, followed, "no post skipped")

	_, first := p.feed(viewer, "limit=7")
	status, body := p.call(http.MethodGet, "/api/v1/feed?cursor="+first.NextCursor, 2, "")
	require.Equal(t, http.StatusBadRequest, status, "a cursor of somebody else")
	require.Contains(t, string(body), "invalid_cursor")
}

func TestReadinessDegradesWithoutClickHouse(t *testing.T) {
	s := stack.Own(t)
	p := start(t, settings(t, s, "api"))
	status, body := p.call(http.MethodGet, "/readyz", 0, "")
	require.Equal(t, http.StatusOK, status, string(body))
	require.NoError(t, s.Servers.ClickHouse.Kill())
	require.NoError(t, s.Servers.Redis.Kill())
	wait.Until(t, func() bool {
		status, body = p.call(http.MethodGet, "/readyz", 0, "")
		return status == http.StatusOK && string(body) != "" && contains(body, `"degraded"`)
	}, "%s", body)
}
