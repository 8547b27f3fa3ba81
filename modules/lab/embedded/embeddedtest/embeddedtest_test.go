package embeddedtest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded"
)

func TestMain(m *testing.M) { Main(m, Only(embedded.Postgres)) }

func TestAStackThatRunsAlreadyIsUsedWhenTheEnvironmentNamesItsAddresses(t *testing.T) {
	own := Own(t, embedded.Redis)
	text, err := json.Marshal(own.Addresses())
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "stack.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))

	t.Setenv(stackEnv, file)
	stack, err := begin(nil)
	require.NoError(t, err)
	require.Equal(t, own.Addresses(), stack.Addresses())
	require.Equal(t, own.Redis.Addr(), stack.Redis.Addr())
	require.Zero(t, stack.Redis.PID())

	require.NoError(t, os.WriteFile(file, []byte("no JSON"), 0o600))
	_, err = begin(nil)
	require.ErrorContains(t, err, file)
	t.Setenv(stackEnv, file+".missing")
	_, err = begin(nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestADatabaseIsGoneWithItsTestEvenWhenItIsInUse(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var dsn string
	var left *pgx.Conn
	Stack(t)
	t.Run("its test", func(t *testing.T) {
		began := time.Now()
		dsn = NewDatabase(t)
		t.Logf("a fresh database: %s", time.Since(began))
		var err error
		left, err = pgx.Connect(ctx, dsn)
		require.NoError(t, err)
		_, err = left.Exec(ctx, "SELECT pg_create_logical_replication_slot('s_'||current_database(), 'pgoutput')")
		require.NoError(t, err)
	})
	_, err := pgx.Connect(ctx, dsn)
	require.ErrorContains(t, err, "does not exist")
	require.Error(t, left.Ping(ctx))
	require.NoError(t, left.Close(ctx))
}
