package supply

import (
	"archive/tar"
	"compress/gzip"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheSameCommitGivesTheSameReleaseWhereverItIsBuilt builds one platform from two copies of the tree.
func TestTheSameCommitGivesTheSameReleaseWhereverItIsBuilt(t *testing.T) {
	var sums []string
	var out string
	for range 2 {
		tree := filepath.Join(t.TempDir(), "tree")
		run(t, "../..", "cp", "-a", "--", archived(t), tree)
		text, err := os.ReadFile(filepath.Join(tree, "CHANGELOG.md"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(tree, "CHANGELOG.md"),
			[]byte(strings.Replace(string(text), "## Unreleased", "## 9.8.7", 1)), 0o644))
		for _, git := range [][]string{
			{"init", "-q"},
			{"add", "-A"},
			{"-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "release"},
		} {
			command := exec.Command("git", git...)
			command.Dir = tree
			command.Env = append(os.Environ(), "GIT_COMMITTER_DATE=2026-01-31T12:00:00Z",
				"GIT_AUTHOR_DATE=2026-01-31T12:00:00Z")
			text, err := command.CombinedOutput()
			require.NoError(t, err, string(text))
		}
		out = filepath.Join(tree, "bin", "release")
		run(t, tree, "env", "PLATFORMS=linux/amd64", "config/release/build.sh", "v9.8.7")
		sum, err := os.ReadFile(filepath.Join(out, "SHA256SUMS"))
		require.NoError(t, err)
		sums = append(sums, string(sum))
	}
	require.Equal(t, sums[0], sums[1])
	require.Equal(t, 2, strings.Count(sums[0], "\n"), "the archive and what it is made of: %s", sums[0])

	folder := unpack(t, filepath.Join(out, "feedrank-v9.8.7-linux-amd64.tar.gz"))
	binary := filepath.Join(folder, "feedrank")
	version, err := exec.Command(binary, "version").Output()
	require.NoError(t, err)
	require.Contains(t, string(version), "9.8.7")
	require.NoError(t, exec.Command(binary, "check-config", "--set", "auth.hs256_secret="+strings.Repeat("s", 32),
		filepath.Join(folder, "config", "feedrank.yaml")).Run())
	require.FileExists(t, filepath.Join(folder, "config", "systemd", "feedrank.service"))

	var contents struct{ Components []struct{ Name string } }
	text, err := os.ReadFile(filepath.Join(out, "feedrank-v9.8.7-linux-amd64.cdx.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &contents))
	info, err := buildinfo.ReadFile(binary)
	require.NoError(t, err)
	require.Len(t, contents.Components, len(info.Deps))
}

// archived is a copy of what git has of this tree, as it is now.
func archived(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	run(t, "../..", "bash", "-c", `git ls-files -z | xargs -0 cp --parents -t "$0"`, folder)
	return folder
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir = dir
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
}

// unpack returns the only folder of an archive.
func unpack(t *testing.T, archive string) (folder string) {
	t.Helper()
	file, err := os.Open(archive)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	unzipped, err := gzip.NewReader(file)
	require.NoError(t, err)
	to := t.TempDir()
	for entries := tar.NewReader(unzipped); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return folder
		}
		require.NoError(t, err)
		path := filepath.Join(to, filepath.Clean("/"+entry.Name))
		if entry.FileInfo().IsDir() {
			require.NoError(t, os.MkdirAll(path, 0o755))
			if folder == "" {
				folder = path
			}
			continue
		}
		content, err := io.ReadAll(entries)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, content, entry.FileInfo().Mode()))
	}
}
