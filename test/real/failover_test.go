//go:build real

package real_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/wait"
)

// primaryAndStandby are two servers of PostgreSQL: what is committed on the first reaches the second by and by.
func primaryAndStandby(t *testing.T) (primary, standby servers.Server) {
	t.Helper()
	dir, err := os.MkdirTemp("", "feedrank-failover-") // another user must reach it
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	folder := func(name string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.Mkdir(path, 0o711))
		return path
	}
	primary, err = servers.NewPostgres(t.Context(), folder("primary"))
	require.NoError(t, err)
	require.NoError(t, primary.Start(t.Context()))
	standby, err = servers.NewStandby(t.Context(), folder("standby"), primary)
	require.NoError(t, err)
	require.NoError(t, standby.Start(t.Context()))
	for _, server := range []servers.Server{primary, standby} {
		t.Cleanup(func() { require.NoError(t, server.Stop(context.WithoutCancel(t.Context()))) })
	}
	return primary, standby
}

// TestCopiesFollowAPrimaryThatIsReplaced has a standby take over that has not heard of the last commits, which were
// copied already. They never were: the copies must be what the new primary says.
func TestCopiesFollowAPrimaryThatIsReplaced(t *testing.T) {
	_, c := fresh(t)
	primary, standby := primaryAndStandby(t)
	c, err := c.OnPostgres(t.Context(), primary, standby)
	require.NoError(t, err)
	s := start(t, c, func(cfg *config.Config) { cfg.CDC.Source.OnLostSlot = "resync" })
	s.post()
	s.copied()
	wait.Until(t, func() bool { return onStandby(t, standby, "SELECT count(*) FROM posts WHERE id > 1000") == 1 })

	require.NoError(t, standby.Stop(t.Context()))
	for range 50 { // the new primary will not have these, and be behind in its log
		s.post()
	}
	s.commit(t, `DELETE FROM posts WHERE id = 20`)
	s.commit(t, `UPDATE posts SET author_id = 9 WHERE id BETWEEN 30 AND 60`)
	s.commit(t, `INSERT INTO blocks (blocker_id, blocked_id) SELECT v, 4 FROM generate_series(101, 400) v`)
	s.copied()
	require.Equal(t, http.StatusAccepted, s.act())

	require.NoError(t, primary.Kill())
	for range 20 {
		require.Positive(t, s.page(), "feeds go on without PostgreSQL")
		require.Equal(t, http.StatusAccepted, s.act())
	}
	require.NoError(t, standby.Start(t.Context()))
	require.EqualValues(t, 1, onStandby(t, standby, "SELECT count(*) FROM posts WHERE id > 1000"))
	require.EqualValues(t, 1, onStandby(t, standby, "SELECT CASE WHEN pg_promote() THEN 1 END"))
	s.posts = 1
	for range 10 { // by the same numbers, as sequences go back, too
		wait.Until(t, func() bool { return s.try(t.Context(), "SELECT 1") == nil })
		s.post()
	}
	db, err := pgx.Connect(t.Context(), s.cfg.Postgres.DSN)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close(context.WithoutCancel(t.Context()))) }()
	rows := requireEqualTables(t, db, s.db)
	t.Logf("%d rows are equal", rows)
	s.commit(t, `UPDATE posts SET author_id = 7 WHERE id BETWEEN 40 AND 80`)
	s.commit(t, `DELETE FROM posts WHERE id BETWEEN 81 AND 90`)
	requireEqualTables(t, db, s.db)
	s.whole()
	require.Positive(t, s.page())
}

// onStandby asks one server, whatever it is now.
func onStandby(t *testing.T, server servers.Server, query string) (n int64) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), servers.DSNBy(server, "postgres"))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	require.NoError(t, conn.QueryRow(t.Context(), query).Scan(&n))
	return n
}
