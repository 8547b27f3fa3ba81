//go:build real

package real_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/real/servers"
)

// goldenDir holds what Debezium has sent, for the tests of our decoder.
const goldenDir = "../../modules/cdc/envelope/testdata/debezium"

func TestDebeziumSendsWhatOurGoldenFilesSay(t *testing.T) {
	for _, scene := range []struct {
		name string
		play func(*testing.T) []servers.Record
	}{
		{"snapshot", snapshotScene},
		{"changes", changesScene},
		{"schemas", schemasScene},
	} {
		t.Run(scene.name, func(t *testing.T) {
			got := scene.play(t)
			path := filepath.Join(goldenDir, scene.name+".jsonl")
			if *update {
				write(t, path, got)
			}
			want := load(t, path)
			require.Len(t, got, len(want))
			for i := range want {
				require.Equal(t, shape(t, want[i]), shape(t, got[i]), "%s:%d", path, i+1)
			}
		})
	}
}

func write(t *testing.T, path string, records []servers.Record) {
	t.Helper()
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	lines.SetEscapeHTML(false)
	for _, r := range records {
		require.NoError(t, lines.Encode(r))
	}
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, text.Bytes(), 0o644))
}

func load(t *testing.T, path string) []servers.Record {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var records []servers.Record
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r servers.Record
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		records = append(records, r)
	}
	require.NoError(t, lines.Err())
	return records
}
