package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/lab/embedded/clickhouse"
	"github.com/feedrank/feedrank/modules/lab/embedded/kafka"
	"github.com/feedrank/feedrank/modules/lab/embedded/postgres"
	"github.com/feedrank/feedrank/modules/lab/embedded/redis"
	"github.com/feedrank/feedrank/modules/platform/proc"
)

const (
	childEnv   = "FEEDRANK_EMBEDDED_CHILD"         // the name of the server to be
	optionsEnv = "FEEDRANK_EMBEDDED_CHILD_OPTIONS" // its Options in JSON
)

// The descriptors that a child gets beside the standard ones.
const (
	readyFD = 3 // it writes one line of JSON, readiness, once it serves
	lockFD  = 4 // the stack's lock, held by whoever still runs
)

type readiness struct {
	Addr string `json:"addr"`
}

// RunChildIfAsked turns this process into a server when the environment says so,
// and then never returns. It must be the first thing in main and in TestMain of
// every program that calls Start.
func RunChildIfAsked() {
	name := os.Getenv(childEnv)
	if name == "" {
		return
	}
	if err := runChild(name, os.Getenv(optionsEnv)); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func runChild(name, options string) error {
	// What the server starts in its turn must inherit none of this.
	syscall.CloseOnExec(readyFD)
	syscall.CloseOnExec(lockFD)
	if err := errors.Join(os.Unsetenv(childEnv), os.Unsetenv(optionsEnv)); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	endWithParent(cancel)

	ready := func(addr string) {
		line, err := json.Marshal(readiness{Addr: addr})
		pipe := os.NewFile(readyFD, "readiness")
		if err == nil {
			_, err = pipe.Write(append(line, '\n'))
		}
		if err = errors.Join(err, pipe.Close()); err != nil {
			cancel(fmt.Errorf("report readiness: %w", err))
		}
	}
	switch name {
	case ClickHouse:
		return serveAs(ctx, options, ready, runClickHouse)
	case Postgres:
		return serveAs(ctx, options, ready, postgres.Run)
	case Kafka:
		return serveAs(ctx, options, ready, kafka.Run)
	case Redis:
		return serveAs(ctx, options, ready, redis.Run)
	default:
		return fmt.Errorf("%w %q", ErrUnknownServer, name)
	}
}

func serveAs[O any](ctx context.Context, text string, ready func(string),
	run func(context.Context, O, func(string)) error,
) error {
	var options O
	if err := json.Unmarshal([]byte(text), &options); err != nil {
		return fmt.Errorf("options: %w", err)
	}
	return run(ctx, options, ready)
}

// runClickHouse adds what cannot travel as JSON.
func runClickHouse(ctx context.Context, options clickhouse.Options, ready func(string)) error {
	logger, err := zap.NewProduction() // to the standard error, which is the log
	if err != nil {
		return err
	}
	options.Logger = logger
	return clickhouse.Run(ctx, options, ready)
}

// deathSignal is sent to a child whose parent died. PostgreSQL's supervisor has
// to clear up; the others are built to be killed.
func deathSignal(name string) syscall.Signal {
	if name == Postgres {
		return syscall.SIGHUP
	}
	return syscall.SIGKILL
}

// reluctance is how long a child may take to end after its parent has.
const reluctance = 5 * time.Second

// endWithParent cancels the child's context on SIGTERM, and when the parent is
// gone: then the standard input, a pipe that only the parent holds, ends.
func endWithParent(cancel context.CancelCauseFunc) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	alone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(alone)
	}()
	go func() {
		for {
			select {
			case sig := <-signals:
				if sig != syscall.SIGHUP {
					cancel(nil)
					continue
				}
			case <-alone:
			}
			cancel(proc.ErrParentGone)
			<-time.After(reluctance)
			os.Exit(1)
		}
	}()
}
