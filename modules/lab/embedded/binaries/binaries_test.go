package binaries

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheServersAreFoundFromAnyFolderOfTheRepository(t *testing.T) {
	t.Setenv(FolderEnv, "")
	root := t.TempDir()
	root, err := filepath.EvalSymlinks(root)
	require.NoError(t, err)
	servers := filepath.Join(root, "modules", "lab", "embedded")
	below := filepath.Join(root, "modules", "feed", "deep")
	require.NoError(t, os.MkdirAll(filepath.Join(servers, "node_modules"), 0o700))
	require.NoError(t, os.MkdirAll(below, 0o700))
	for _, folder := range []string{root, servers, below} {
		t.Chdir(folder)
		found, err := find("")
		require.NoError(t, err)
		require.Equal(t, servers, found)
	}
	t.Setenv(FolderEnv, filepath.Join(root, "modules"))
	_, err = find("")
	require.ErrorIs(t, err, ErrNoServers, "what the variable names is not second-guessed")
	found, err := find(servers)
	require.NoError(t, err, "what is given comes first")
	require.Equal(t, servers, found)
}

func TestAPlatformWithoutAPrebuiltServerNamesTheKeyToSet(t *testing.T) {
	_, err := findPackage("", "@chdb", map[string]string{}, "ClickHouse", "clickhouse.addrs")
	require.ErrorIs(t, err, ErrNoServers)
	require.ErrorContains(t, err, "clickhouse.addrs")
}
