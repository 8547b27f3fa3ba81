package stackdir

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheFirstStartChoosesAPortBelowThoseOfOutgoingConnectionsAndKeepsIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "port")
	addr, fresh, err := ChoosePort(context.Background(), file)
	require.NoError(t, err)
	require.True(t, fresh)
	host, text, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", host)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	require.GreaterOrEqual(t, port, 1024)
	require.Less(t, port, 32768)

	again, fresh, err := ChoosePort(context.Background(), file)
	require.NoError(t, err)
	require.False(t, fresh)
	require.Equal(t, addr, again)
}

func TestAPortFileThatHoldsNoPortIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "port")
	for _, text := range []string{"", "redis", "0", "70000", "-1"} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, _, err := ChoosePort(context.Background(), file)
		require.ErrorContains(t, err, file)
	}
}

func TestAPasswordIsChosenOnceAndOthersCannotReadIt(t *testing.T) {
	dir := t.TempDir()
	first, err := ChoosePassword(dir)
	require.NoError(t, err)
	require.Len(t, first, 26)
	second, err := ChoosePassword(dir)
	require.NoError(t, err)
	require.Equal(t, first, second)
	info, err := os.Stat(filepath.Join(dir, "password"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestTheTailOfALogIsItsLastLinesSinceTheStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	old := strings.Repeat("old\n", 10)
	require.NoError(t, os.WriteFile(path, []byte(old), 0o600))
	file, from, err := OpenLog(path)
	require.NoError(t, err)
	require.EqualValues(t, len(old), from)
	_, err = file.WriteString("a\nb\n")
	require.NoError(t, errors.Join(err, file.Close()))
	require.Equal(t, "a\nb", LogTail(path, from))
	require.Equal(t, tailLines, 1+strings.Count(LogTail(path, 0)+strings.Repeat("\n", tailLines-12), "\n"))
	require.Empty(t, LogTail(path+".missing", 0))
}
