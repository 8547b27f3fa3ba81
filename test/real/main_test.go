//go:build real

package real_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/test/real/servers"
)

var update = flag.Bool("update", false, "write what Debezium sends to modules/cdc/envelope/testdata")

// orphanEnv makes this program a stack that waits to be killed.
const orphanEnv = "FEEDRANK_REAL_ORPHAN"

func TestMain(m *testing.M) {
	embedded.RunChildIfAsked()
	if os.Getenv(orphanEnv) != "" {
		fmt.Fprintln(os.Stderr, orphan())
		os.Exit(1)
	}
	flag.Parse()
	code := m.Run()
	if shared.stack != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := shared.stack.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if code == 0 {
		// The one goroutine of sarama's metrics library, which it never ends.
		if err := goleak.Find(goleak.IgnoreAnyFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// shared is the one stack of this program: JVMs are slow to start.
var shared struct {
	once  sync.Once
	stack *servers.Stack
	err   error
}

// theStack is shared by all tests, which run one after another. A test that kills a server brings it
// back.
func theStack(t *testing.T) *servers.Stack {
	t.Helper()
	shared.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
		defer cancel()
		began := time.Now()
		shared.stack, shared.err = servers.Start(ctx, servers.Options{})
		t.Logf("the stack serves after %s", time.Since(began).Round(time.Millisecond))
	})
	require.NoError(t, shared.err)
	return shared.stack
}

// fresh gives a test databases and a topic prefix of its own.
func fresh(t *testing.T) (*servers.Stack, servers.Configs) {
	t.Helper()
	s := theStack(t)
	c, err := s.Fresh(t.Context())
	require.NoError(t, err)
	return s, c
}

// orphan prints the processes of a stack and waits for ever.
func orphan() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	stack, err := servers.Start(ctx, servers.Options{Dir: os.Getenv(orphanEnv)})
	if err != nil {
		return err
	}
	pids := map[string]int{}
	for _, server := range stack.Servers() {
		pids[server.Name()] = server.PID()
	}
	if err := json.NewEncoder(os.Stdout).Encode(pids); err != nil {
		return err
	}
	select {}
}
