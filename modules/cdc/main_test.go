package cdc_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) { stack.Main(m) }

// `make real` runs tests of this package on several versions of PostgreSQL: this one makes sure that it is
// the one that was meant.
func TestTheDatabaseIsOfTheVersionThatIsTested(t *testing.T) {
	want := os.Getenv("FEEDRANK_TEST_POSTGRES")
	if want == "" {
		want = "18" // the embedded one
	}
	var version string
	require.NoError(t, newChain(t).Postgres.QueryRow(t.Context(), "SHOW server_version").Scan(&version))
	require.True(t, strings.HasPrefix(version, want), version)
}
