//go:build real

package real_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/migrate"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/test/wait"
)

func TestWhatIsCachedOnTheClientFollowsTheServer(t *testing.T) {
	s, c := fresh(t)
	ctx := t.Context()
	require.False(t, c.RedisConfig.DisableCache)
	reader, writer := redis.New(c.RedisConfig, core.SystemClock{}), redis.New(c.RedisConfig, core.SystemClock{})
	defer reader.Close()
	defer writer.Close()
	key := c.KafkaConfig.Topic("cached")
	read := func() (value string, cached bool) {
		conn, err := reader.Conn()
		if err != nil {
			return "", false
		}
		result := conn.DoCache(ctx, conn.B().Get().Key(key).Cache(), time.Minute)
		value, _ = result.ToString() // empty while Redis is away
		return value, result.IsCacheHit()
	}
	write := func(value string) bool {
		conn, err := writer.Conn()
		return err == nil && conn.Do(ctx, conn.B().Set().Key(key).Value(value).Build()).Error() == nil
	}

	require.True(t, write("one"))
	value, cached := read()
	require.Equal(t, "one", value)
	require.False(t, cached)
	value, cached = read()
	require.Equal(t, "one", value)
	require.True(t, cached)

	require.True(t, write("two")) // the server tells the reader
	wait.Until(t, func() bool { value, _ := read(); return value == "two" })

	// With the connection goes all that was cached through it: nobody could tell us of changes.
	require.NoError(t, s.Redis.Kill())
	require.NoError(t, s.Redis.Start(ctx))
	wait.Until(t, func() bool { return write("three") })
	wait.Until(t, func() bool { value, _ := read(); return value == "three" })
}

func TestMigrationsApplyToDebiansPostgreSQLOnce(t *testing.T) {
	_, c := fresh(t) // which has migrated
	ctx := t.Context()
	require.NoError(t, migrate.Locked(ctx, c.PostgresConfig, func(ctx context.Context, conn *pgx.Conn) error {
		var version string
		require.NoError(t, conn.QueryRow(ctx, "SHOW server_version").Scan(&version))
		t.Logf("PostgreSQL %s", version)
		states, err := migrate.Postgres(ctx, conn, false)
		require.NotEmpty(t, states)
		for _, state := range states {
			require.True(t, state.Applied, state.Name)
		}
		return err
	}))
	states, err := migrate.ClickHouse(ctx, c.ClickHouseConfig, false)
	require.NoError(t, err)
	for _, state := range states {
		require.True(t, state.Applied, state.Name)
	}
}
