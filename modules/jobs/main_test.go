package jobs_test

import (
	"os"
	"testing"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(replicaEnv); dsn != "" {
		os.Exit(runReplica(dsn))
	}
	stack.Main(m, embeddedtest.Only(embedded.Postgres))
}
