package backup

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/sql"
)

var created = regexp.MustCompile(`(?ms)^CREATE TABLE IF NOT EXISTS (?:feedrank\.)?(\w+) \((.*?)^\)`)

// schema are the tables of the migrations, with their columns.
func schema(t *testing.T, folder string) map[string]string {
	t.Helper()
	paths, err := fs.Glob(sql.Files(), folder+"/*.sql")
	require.NoError(t, err)
	tables := map[string]string{}
	for _, path := range paths {
		text, err := fs.ReadFile(sql.Files(), path)
		require.NoError(t, err)
		for _, m := range created.FindAllStringSubmatch(string(text), -1) {
			tables[m[1]] = m[2]
		}
	}
	require.NotEmpty(t, tables)
	return tables
}

func names(tables map[string]string) (all []string) {
	for name := range tables {
		all = append(all, name)
	}
	return all
}

func TestEveryTableIsBackedUpOrLeftOutOnPurpose(t *testing.T) {
	tables := schema(t, "clickhouse/migrations")
	known := slices.Concat(cloned, passing)
	for _, one := range inMemory {
		known = append(known, one.table)
		for _, column := range strings.Split(one.columns, ", ") {
			if name, kind, ok := strings.Cut(column, " "); ok {
				require.Regexp(t, `(?m)^\s+`+name+`\s+`+regexp.QuoteMeta(strings.Split(kind, "(")[0]), tables[one.table])
			}
		}
	}
	require.ElementsMatch(t, names(tables), known)
	require.ElementsMatch(t, names(schema(t, "postgres/migrations")), slices.Concat(ofPostgres, ofTheLog))
	for _, pair := range [][2]string{
		{"event_ranges", "post_metrics_1h"},
		{"event_ranges", "user_author_90d"},
		{"post_metrics_1h", "events"},
		{"user_author_90d", "events"},
		{"events", "keys"},
	} {
		require.Less(t, slices.Index(cloned, pair[0]), slices.Index(cloned, pair[1]), "%v: see the package", pair)
	}
}

func TestADamagedBackupIsRefusedByWhatItHashesTo(t *testing.T) {
	dir := t.TempDir()
	m := Manifest{Format: format, Feedrank: "1.2.3"}
	require.NoError(t, m.into(dir, "a.copy", func(out io.Writer) error {
		_, err := io.WriteString(out, "one\ntwo\n")
		return err
	}))
	_, err := Read(dir)
	require.ErrorContains(t, err, "did not end")
	require.NoError(t, m.write(dir))
	read, err := Read(dir)
	require.NoError(t, err)
	require.Equal(t, m.Files, read.Files)
	for name, damage := range map[string]func(path string) error{
		"a.copy":        func(path string) error { return os.WriteFile(path, []byte("one\ntwO\n"), 0o600) },
		"a.copy, short": func(path string) error { return os.Truncate(path, 4) },
		"a.copy, gone":  os.Remove,
		manifestName:    func(path string) error { return os.WriteFile(path, []byte(`{"format":1}`), 0o600) },
		sumName:         os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			copied := t.TempDir()
			require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))
			file, _, _ := strings.Cut(name, ",")
			require.NoError(t, damage(filepath.Join(copied, file)))
			_, err := Read(copied)
			require.ErrorIs(t, err, ErrDamaged)
		})
	}
	m.Format = 2
	require.NoError(t, m.write(dir))
	_, err = Read(dir)
	require.ErrorContains(t, err, "use the version 1.2.3")
}

func TestPlacesOfBackupsHoldNoSecretAndNoSQL(t *testing.T) {
	for text, want := range map[string]string{
		"file": "File('x')", "disk:backups": "Disk('backups', 'x/')", "s3:offsite": "S3(offsite, 'x')",
	} {
		place, err := parse(text)
		require.NoError(t, err)
		require.Equal(t, want, place.at("x"))
	}
	for _, text := range []string{"", "file:x", "disk:", "s3:https://a/b", "disk:a'b", "cloud"} {
		_, err := parse(text)
		require.ErrorContains(t, err, "backups.allowed_path", text)
	}
}
