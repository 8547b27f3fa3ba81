package people

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) { stack.Main(m, embeddedtest.Only(embedded.Postgres)) }

func TestPeopleAreFoundByTheirNames(t *testing.T) {
	for keys, column := range map[core.KeyForm][3]string{
		core.IntegerKeys: {"bigint", "7", "8"}, core.TextKeys: {"text", "a\"b", "c"},
		core.UUIDKeys: {"uuid", "00000000-0000-0000-0000-000000000007", "00000000-0000-0000-0000-000000000008"},
	} {
		cfg := postgres.DefaultConfig()
		embeddedtest.Stack(t)
		cfg.DSN = embeddedtest.NewDatabase(t)
		pool, err := postgres.NewPool(t.Context(), cfg)
		require.NoError(t, err)
		t.Cleanup(pool.Close)
		exec := func(statement string, args ...any) {
			_, err := pool.Exec(t.Context(), statement, args...)
			require.NoError(t, err)
		}
		exec(`CREATE SCHEMA app; CREATE TABLE app."the members" ("Key" ` + column[0] + ` PRIMARY KEY, "shown as" text)`)
		insert := `INSERT INTO app."the members" SELECT v.key::` + column[0] + `, v.name FROM (VALUES ($1::text, $2::text)) v(key, name)`
		exec(insert, column[1], "Ana_Maria 100%")
		exec(insert, column[2], "ANABEL")
		p := New(pool, Table{Table: "app.the members", ID: "Key", Name: "shown as", Keys: keys})

		found, err := p.Search(t.Context(), "ana")
		require.NoError(t, err)
		require.Equal(t, []Person{{column[2], "ANABEL"}, {column[1], "Ana_Maria 100%"}}, found)
		for text, n := range map[string]int{"a_m": 1, "0%": 1, "n%b": 0, `\`: 0, "'; DROP": 0} {
			found, err = p.Search(t.Context(), text)
			require.NoError(t, err)
			require.Len(t, found, n, text)
		}
		names, err := p.Names(t.Context(), []string{column[1], "no key\x00", "9"})
		require.NoError(t, err)
		require.Equal(t, map[string]string{column[1]: "Ana_Maria 100%"}, names)
	}
	require.Nil(t, New(nil, Table{Table: "users"}), "where the column is not known, nobody is asked")
}

func TestNamesAreReadByThePrimaryKey(t *testing.T) {
	cfg := postgres.DefaultConfig()
	embeddedtest.Stack(t)
	cfg.DSN = embeddedtest.NewDatabase(t)
	pool, err := postgres.NewPool(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	_, err = pool.Exec(t.Context(), `CREATE TABLE users (id int PRIMARY KEY, name text)`)
	require.NoError(t, err)
	p := New(pool, Table{Table: "public.users", ID: "id", Name: "name", Keys: core.IntegerKeys})
	_, err = pool.Exec(t.Context(), `INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 20000) n; ANALYZE users`)
	require.NoError(t, err)
	rows, err := pool.Query(t.Context(), "EXPLAIN "+p.names, []string{"1", "2"})
	require.NoError(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Contains(t, strings.Join(lines, "\n"), "users_pkey")
}
