//go:build unix

package tls

import (
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// own gives a file to whoever owns another.
func own(t *testing.T, file string, like fs.FileInfo) {
	t.Helper()
	if owner, ok := like.Sys().(*syscall.Stat_t); ok {
		require.NoError(t, os.Chown(file, int(owner.Uid), int(owner.Gid)))
	}
}
