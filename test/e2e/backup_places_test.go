package e2e

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/backup"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/test/stack"
)

// TestABackupGoesToADisk has ClickHouse put its part on a disk of its configuration, and get it from there. S3 takes a
// server: the engine of the tests has none of the threads with which BACKUP writes there.
func TestABackupGoesToADisk(t *testing.T) {
	s := stack.New(t)
	const rows = 200_000
	s.Exec(t, fmt.Sprintf("INSERT INTO posts (id, author_id, created_at, version) "+
		"SELECT number + 1, cityHash64(number) %% 1000 + 1, now64(6) - number, 1 FROM numbers(%d)", rows))
	cfg := settings(t, s)
	dir := filepath.Join(t.TempDir(), "backup")
	quiet := func(string, int64, int64) {}
	_, err := app.Backup(t.Context(), cfg, dir, "disk:unknown", quiet)
	require.ErrorContains(t, err, "unknown", "a disk that ClickHouse does not have")
	made, err := app.Backup(t.Context(), cfg, dir+"-made", "disk:backups", quiet)
	require.NoError(t, err)
	require.EqualValues(t, rows, made.ClickHouse.Tables["posts"].Rows)

	cfg.ClickHouse.Database = embeddedtest.NewClickHouseDatabase(t)
	_, err = app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	_, err = app.Restore(t.Context(), cfg, dir+"-made", "", backup.ClickHouseOnly, quiet)
	require.NoError(t, err)
	require.Equal(t, rows, s.Count(t, "SELECT count() AS n FROM "+cfg.ClickHouse.Database+".posts"))
}
