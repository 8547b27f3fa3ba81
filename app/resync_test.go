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
