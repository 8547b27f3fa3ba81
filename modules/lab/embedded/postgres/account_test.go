package postgres

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// stranger is a user that owns nothing here.
func stranger() *account { return &account{uid: 4_000_000_000, gid: 4_000_000_000} }

func TestAnotherUserReachesAFolderOnlyThroughFoldersThatLetThemPass(t *testing.T) {
	top, err := os.MkdirTemp("", "feedrank-test-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(top)) })
	below := filepath.Join(top, "a", "b")
	require.NoError(t, os.MkdirAll(below, 0o755))
	require.NoError(t, os.Chmod(top, 0o711))

	require.True(t, stranger().mayReach(below))
	require.True(t, stranger().mayUse(below))
	require.NoError(t, os.Chmod(below, 0o711))
	require.True(t, stranger().mayReach(below))
	require.False(t, stranger().mayUse(below), "it can be passed, not read")
	require.NoError(t, os.Chmod(filepath.Join(top, "a"), 0o700))
	require.False(t, stranger().mayReach(below))
	require.False(t, stranger().mayUse(filepath.Join(top, "missing")))

	var ourselves *account
	require.True(t, ourselves.mayReach(below))
	require.True(t, ourselves.mayUse(below))
}

func TestANoteThatNamesNoFolderOfOursIsNotFollowed(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{"", "/", "/etc", "feedrank-postgres-x"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, elsewhere), []byte(text), 0o600))
		_, err := locate(dir, nil)
		require.ErrorContains(t, err, filepath.Join(dir, elsewhere))
	}
}

func TestLinksThatLeaveThePackageAreRefused(t *testing.T) {
	type pair struct{ Source, Target string }
	for _, bad := range []pair{{"/etc/passwd", "native/x"}, {"native/x", "../../x"}, {"../x", "native/x"}} {
		pkg := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(pkg, "native"), 0o700))
		text, err := json.Marshal([]pair{bad})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(pkg, "native", "pg-symlinks.json"), text, 0o600))
		require.ErrorContains(t, link(pkg, pkg), "outside the package")
	}
}

func TestTheDSNLeadsBackToTheAddressWhateverThePassword(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opts := Options{Addr: "127.0.0.1:5432", User: "u", Password: rapid.String().Draw(t, "password"), Database: "d"}
		require.Equal(t, opts.Addr, AddrOf(opts.DSN()))
	})
}

func TestAPidFileIsReadAsPostgreSQLWritesIt(t *testing.T) {
	data := t.TempDir()
	_, held := sharedMemory(data)
	require.False(t, held)
	require.NoError(t, os.WriteFile(pidFile(data),
		[]byte("42\n"+data+"\n1700000000\n5432\n\n127.0.0.1\n  1234567    98\nready   \n"), 0o600))
	id, held := sharedMemory(data)
	require.True(t, held)
	require.Equal(t, 98, id)
	require.NoError(t, os.WriteFile(pidFile(data), []byte("42\n"), 0o600))
	_, held = sharedMemory(data)
	require.False(t, held, "a server that has only begun to start")
}

// A pid is given again after a restart of the machine or a container.
func TestAPidFileThatNamesAnotherProgramDoesNotStopTheStart(t *testing.T) {
	data := t.TempDir()
	require.NoError(t, os.WriteFile(pidFile(data), []byte("2147483646\n"), 0o600))
	require.NoError(t, forgetStranger(data))
	require.FileExists(t, pidFile(data), "of a dead one PostgreSQL takes care")
	pid, err := json.Marshal(os.Getpid())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(pidFile(data), pid, 0o600))
	require.NoError(t, forgetStranger(data))
	require.NoFileExists(t, pidFile(data))
}
