package app

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/test/stack"
)

func onStack(s *stack.Stack) config.Config {
	cfg := config.Default()
	cfg.Postgres, cfg.ClickHouse, cfg.Kafka = s.PostgresConfig, s.ClickHouseConfig, s.KafkaConfig
	return cfg
}

func TestAComparisonReportsWhatIsMissing(t *testing.T) {
	s := stack.New(t)
	cfg := onStack(s)
	var out bytes.Buffer
	differences, err := Resync(t.Context(), cfg, "", false, time.Millisecond, &out)
	require.NoError(t, err)
	require.Zero(t, differences)
	require.Contains(t, out.String(), "equal")

	_, err = s.Postgres.Exec(t.Context(), `INSERT INTO users (id, name) VALUES (7, 'unheard')`)
	require.NoError(t, err)
	out.Reset()
	differences, err = Resync(t.Context(), cfg, "users", false, time.Millisecond, &out)
	require.NoError(t, err)
	require.Equal(t, 1, differences)
	require.Contains(t, out.String(), "1 missing, 0 wrong, 0 too many, 0 with wrong edges: 7")
	_, err = Resync(t.Context(), cfg, "public.nothing", false, time.Millisecond, &out)
	require.ErrorContains(t, err, "mapped are public.users")
}

func TestAColumnThatTheAppDoesNotHaveIsNamedWithItsNearestNeighbour(t *testing.T) {
	cfg := onStack(stack.New(t))
	require.NoError(t, CheckTables(t.Context(), cfg))
	cfg.CDC.Tables.Post.Columns["author_id"] = "autor_id"
	require.ErrorContains(t, CheckTables(t.Context(), cfg),
		"cdc.tables.post.columns.author_id: table public.posts has no column autor_id: did you mean author_id?")
}

func TestWhatIsTriedOnTheServersIsToldBeforeAnythingStarts(t *testing.T) {
	s := stack.New(t)
	cfg := onStack(s)
	warnings, err := CheckConnected(t.Context(), cfg)
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Empty(t, Warnings(cfg))
	exec := func(statement string) {
		_, err := s.Postgres.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	exec(`INSERT INTO users (id, name) VALUES (1, 'a'); INSERT INTO posts (id, author_id) VALUES (1, 1); INSERT INTO likes (user_id, post_id) VALUES (1, 1)`)
	warnings, err = CheckConnected(t.Context(), cfg)
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "engagement.likes_from=cdc")

	exec(`ALTER TABLE mutes DROP CONSTRAINT mutes_pkey, ADD PRIMARY KEY (muter_id, muted_id) DEFERRABLE`)
	_, err = CheckConnected(t.Context(), cfg)
	require.ErrorContains(t, err, "cdc.source: table public.mutes has neither a primary key")
	cfg.Modules.CDCSource.Enabled = false // then the publication is Debezium's
	exec(`ALTER TABLE mutes DROP CONSTRAINT mutes_pkey, ADD PRIMARY KEY (muter_id, muted_id)`)
	_, err = CheckConnected(t.Context(), cfg)
	require.NoError(t, err)
	cfg.CDC.Tables.User.Columns["created_at"] = "token_made_at"
	require.Len(t, Warnings(cfg), 1)
}
