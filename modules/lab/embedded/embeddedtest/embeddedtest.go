package embeddedtest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/lab/embedded"
)

const stackEnv = "FEEDRANK_TEST_STACK"

// startLimit is generous: several packages' tests start stacks at the same time.
const startLimit = 3 * time.Minute

// shared is the stack of this test program. It is the one package variable: a
// test finds its package's stack through nothing else.
var shared struct {
	once  sync.Once
	only  []string
	stack *embedded.Stack
	err   error
}

type options struct {
	only  []string
	leaks []goleak.Option
}

// Option of Main.
type Option func(*options)

// Only these servers; without it, all.
func Only(names ...string) Option { return func(o *options) { o.only = names } }

// IgnoreLeaks adds to what Main's search for leaked goroutines leaves out.
func IgnoreLeaks(leaks ...goleak.Option) Option {
	return func(o *options) { o.leaks = append(o.leaks, leaks...) }
}

// Main runs a package's tests; TestMain calls it and nothing else. When they have
// passed, a goroutine that is left makes them fail. It does not return.
func Main(m *testing.M, opts ...Option) {
	embedded.RunChildIfAsked()
	os.Exit(run(m, opts))
}

func run(m *testing.M, opts []Option) int {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	shared.only = o.only
	code := m.Run()
	if shared.stack != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := shared.stack.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "stop the embedded servers:", err)
			code = max(code, 1)
		}
	}
	if code == 0 {
		if err := goleak.Find(o.leaks...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	return code
}

// Stack is the one that this package's tests share. Do not stop its servers.
func Stack(t testing.TB) *embedded.Stack {
	t.Helper()
	shared.once.Do(func() { shared.stack, shared.err = begin(shared.only) })
	if shared.err != nil {
		t.Fatalf("embedded servers: %v", shared.err)
	}
	return shared.stack
}

func begin(only []string) (*embedded.Stack, error) {
	if file := os.Getenv(stackEnv); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", stackEnv, err)
		}
		var addresses embedded.Addresses
		if err := json.Unmarshal(text, &addresses); err != nil {
			return nil, fmt.Errorf("%s=%s: %w", stackEnv, file, err)
		}
		return embedded.Attach(addresses), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	return embedded.Start(ctx, interpreted(embedded.Options{Only: only}))
}

// interpreted lets ClickHouse compile nothing: every test's server is new and lives for seconds, so it would
// compile each expression anew, a quarter of its processor time, and never gain by it.
func interpreted(o embedded.Options) embedded.Options {
	profile := map[string]string{
		"compile_expressions": "0", "compile_aggregate_expressions": "0", "compile_sort_description": "0",
	}
	maps.Copy(profile, o.ClickHouseProfile)
	o.ClickHouseProfile = profile
	return o
}

// Own starts a stack for this test alone, and stops it when the test ends.
// Without names it runs all servers.
func Own(t testing.TB, only ...string) *embedded.Stack {
	t.Helper()
	return OwnWith(t, embedded.Options{Only: only})
}

// OwnWith is Own with other options.
func OwnWith(t testing.TB, opts embedded.Options) *embedded.Stack {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	stack, err := embedded.Start(ctx, interpreted(opts))
	if err != nil {
		t.Fatalf("embedded servers: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := stack.Stop(ctx); err != nil {
			t.Errorf("stop the embedded servers: %v", err)
		}
	})
	return stack
}
