// Package installed makes a test's own program be bin/feedrank, for tests that type what documents tell to.
package installed

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const asked = "FEEDRANK_TEST_AS_COMMAND"

// BeIfAsked runs the command, and ends with its exit code, where the program was started as bin/feedrank. TestMain
// calls it first.
func BeIfAsked(run func() (exit int)) {
	if os.Getenv(asked) != "" {
		os.Exit(run())
	}
}

// Dir is a folder with bin/feedrank.
func Dir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bin", "feedrank"),
		[]byte("#!/bin/sh\n"+asked+"=1 exec '"+program+"' \"$@\"\n"), 0o700))
	return dir
}
