package embedded_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
)

// parentEnv makes the test program a parent to be killed: it holds the servers
// to start, in a directory named by parentDirEnv.
const (
	parentEnv    = "FEEDRANK_TEST_PARENT_OF"
	parentDirEnv = "FEEDRANK_TEST_PARENT_DIR"
)

func TestMain(m *testing.M) {
	embedded.RunChildIfAsked()
	if servers := os.Getenv(parentEnv); servers != "" {
		beParent(strings.Split(servers, ","), os.Getenv(parentDirEnv))
	}
	embeddedtest.Main(m, embeddedtest.IgnoreLeaks(
		// sarama's metrics library keeps one for the life of the program.
		goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"),
	))
}

// beParent starts a stack, prints the process ids of its servers, and waits for its
// end.
func beParent(servers []string, dir string) {
	stack, err := embedded.Start(context.Background(), embedded.Options{Dir: dir, Only: servers})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	pids := map[string]int{}
	for _, server := range stack.Servers() {
		pids[server.Name()] = server.PID()
		if os.Getenv("FEEDRANK_TEST_PARENT_FREEZES") != "" {
			if err := server.Freeze(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(pids); err != nil {
		os.Exit(1)
	}
	select {}
}
