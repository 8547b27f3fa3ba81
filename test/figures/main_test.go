package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const sample = `{
  "bench": "feed-cached", "at": "2026-11-25T10:11:12Z",
  "machine": {"cpu": "A CPU", "cores": 2, "memory_gib": 7.75, "load_before": "0.10 0.20 0.30"},
  "versions": {"feedrank": "abc1234"}, "world": {"scale": "SCALE", "events": 10000000},
  "figures": [
    {"name": "P95 at 1000 RPS", "unit": "ms", "required": 150, "aim": 5, "measured": 2.234, "met": true},
    {"name": "throughput of the echo handler's", "unit": "%", "aim": 50, "at_least": true, "measured": 11.6, "met": false},
    {"name": "  a part", "unit": "ms", "measured": 0.5, "note": "of it"}
  ]}`

// checkout is a folder with this one's documents.
func checkout(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, file := range []string{"README.md", "modules/lab/bench/README.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", file))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(root, file), text, 0o600))
	}
	return root
}

func read(t *testing.T, root, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	return string(text)
}

func TestTheDocumentsHaveTheFiguresOfTheReportsAndTheirMachine(t *testing.T) {
	root, reports := checkout(t), t.TempDir()
	for _, scale := range []string{"small", "reference"} {
		text := strings.ReplaceAll(sample, "SCALE", scale)
		require.NoError(t, os.WriteFile(filepath.Join(reports, "feed-cached-"+scale+".json"), []byte(text), 0o600))
	}
	require.NoError(t, write(root, reports))
	main, all := read(t, root, "README.md"), read(t, root, "modules/lab/bench/README.md")

	require.Contains(t, main, "| cached feed, P95 at 1,000 requests/s | 2.23 ms | ≤ 5 | met | `feed-cached` |\n")
	require.Contains(t, main, "| trending, P95 at 1,000/s | not measured |  |  | `trending` |\n")
	machine := "A CPU, 2 cores, 7.75 GiB, load 0.10 0.20 0.30 before"
	require.Contains(t, main,
		"\nMeasured at scale reference:\n\n- `feed-cached` on 2026-11-25, feedrank abc1234,\n  "+machine+"\n")
	require.Contains(t, all, "\nScale reference, on 2026-11-25, feedrank abc1234,\n"+machine+
		".\n\n| figure | measured | required | aim | |\n|---|---|---|---|---|\n"+
		"| P95 at 1000 RPS | 2.23 ms | ≤ 150 | ≤ 5 | met |\n"+
		"| throughput of the echo handler's | 11.6 % |  | ≥ 50 | missed |\n"+
		"| &nbsp;&nbsp;a part (of it) | 0.500 ms |  |  |  |\n")
	require.Contains(t, all, "\nScale small, on 2026-11-25")
	require.Contains(t, all, "### overload\n\n")
	require.Contains(t, all, "\nNot measured.\n")

	require.NoError(t, write(root, reports))
	require.Equal(t, main, read(t, root, "README.md"), "once more changes nothing")
	require.Equal(t, all, read(t, root, "modules/lab/bench/README.md"))
	require.NoError(t, write(root, t.TempDir()))
	require.NotContains(t, read(t, root, "README.md"), "2.23 ms", "what has no report is not shown")
}

func TestADocumentWithoutMarkersIsRefused(t *testing.T) {
	root := checkout(t)
	require.NoError(t, os.WriteFile(filepath.Join(root, "README.md"), []byte("# nothing"), 0o600))
	require.ErrorContains(t, write(root, t.TempDir()), "README.md: no <!-- figures: main -->")
}
