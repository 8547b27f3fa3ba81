package migrate

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/sql"
)

func TestAFileIsCutIntoItsStatements(t *testing.T) {
	require.Equal(t, []string{"CREATE TABLE a (\n  x Int8 -- a; comment\n)", "SELECT ';'\nFROM a", "SELECT 2"}, split(`
-- A comment that ends with;

CREATE TABLE a (
  x Int8 -- a; comment
); -- the end

SELECT ';'
FROM a;
SELECT 2`))
}

func TestEveryMigrationThatWeShipLoads(t *testing.T) {
	for _, dir := range []string{"clickhouse/migrations", "postgres/migrations"} {
		migrations, err := load(sql.Files(), dir)
		require.NoError(t, err)
		require.NotEmpty(t, migrations)
		for _, m := range migrations {
			require.NotEmpty(t, m.Statements, m.Name)
		}
	}
}

func TestFilesWithoutANumberOrWithTheSameAreRefused(t *testing.T) {
	for name, folder := range map[string]fstest.MapFS{
		"no number":   {"m/first.sql": {}},
		"same number": {"m/0001_a.sql": {}, "m/0001_b.sql": {}},
	} {
		_, err := load(folder, "m")
		require.Error(t, err, name)
	}
}

// memory is a target that remembers; real ones are tested with their servers in test/e2e.
type memory struct{ done map[string]string }

func (m memory) applied(context.Context) (map[string]string, error) {
	out := map[string]string{}
	for version, checksum := range m.done {
		out[version] = checksum
	}
	return out, nil
}

func (m memory) apply(_ context.Context, one Migration) error {
	m.done[one.Version] = one.Checksum
	return nil
}

func TestMigrationsAreAppliedOnceAndNeverWhenChanged(t *testing.T) {
	target := memory{done: map[string]string{}}
	all := []Migration{{Version: "0001", Checksum: "aaaa"}, {Version: "0002", Checksum: "bbbb"}}

	states, err := run(t.Context(), target, all, true)
	require.NoError(t, err)
	require.False(t, states[0].Applied)
	require.Empty(t, target.done, "a dry run applies nothing")

	_, err = run(t.Context(), target, all, false)
	require.NoError(t, err)
	states, err = run(t.Context(), target, all, false)
	require.NoError(t, err)
	require.True(t, states[0].Applied && states[1].Applied)

	all[0].Checksum = "cccc"
	_, err = run(t.Context(), target, all, false)
	require.ErrorContains(t, err, "was changed after it was applied")
	_, err = run(t.Context(), target, nil, false)
	require.ErrorContains(t, err, "newer version")
}
