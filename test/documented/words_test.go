package documented

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// instead are the words of this code that nobody else would know, with those that an engineer of the field expects.
var instead = map[string]string{
	"bury": "publish dead letters, apply truncate", "buried": "published as dead letters", "buries": "publishes",
	"grave": "dead letter, tombstone", "graves": "dead letters, tombstones",
	"crowd": "clients", "deaf": "noop", "deed": "fixture, operation", "deeds": "fixtures, operations",
	"door": "listener, limiter", "doors": "listeners", "extent": "offset range", "extents": "offset ranges",
	"excerpt": "on-demand hot set", "excerpts": "on-demand hot sets", "farewell": "next steps",
	"flights": "singleflight", "frontier": "watermark", "habit": "behaviour", "habits": "behaviour",
	"hider": "listener", "joint": "adapter", "joints": "adapters", "newcomers": "new candidates",
	"recall": "load", "recalls": "loads", "recollect": "load", "surveyor": "topic offset reader",
	"tape": "fake partition", "tapes": "fake partitions", "whence": "origin", "worn": "due for refresh",
}

// word is a word of a text, or a part of a name: they begin where the case changes.
var word = regexp.MustCompile(`[A-Z]?[a-z]+|[A-Z]+`)

// TestWordsAreTheFields holds code, configuration, metrics, SQL and documents.
func TestWordsAreTheFields(t *testing.T) {
	read := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == "node_modules" || name == "bin" || name == "data" || name == ".work" ||
			name == "reports" || strings.HasPrefix(name, ".") && path != root):
			return fs.SkipDir
		case entry.IsDir() || name == "words_test.go":
			return nil
		}
		switch filepath.Ext(name) {
		case ".go", ".md", ".yaml", ".yml", ".sql", ".lua", ".sh", ".html", ".txt", "":
			read++
			return hold(t, path)
		}
		return nil
	}))
	require.Greater(t, read, 500)
}

func hold(t *testing.T, path string) error {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was read
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		for _, found := range word.FindAllString(lines.Text(), -1) {
			if better := instead[strings.ToLower(found)]; better != "" {
				t.Errorf("%s:%d: %q: say %s", strings.TrimPrefix(path, root+"/"), n, found, better)
			}
		}
	}
	return lines.Err()
}
