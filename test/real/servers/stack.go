//go:build linux

package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/lab/embedded"
)

// Options of a stack.
type Options struct {
	// Dir holds all that the servers store. Empty: a temporary one, which Stop removes. PostgreSQL's
	// user must be able to reach it.
	Dir string
}

// Stack is the five servers, and the settings with which feedrank finds them migrated.
type Stack struct {
	Kafka, Connect, Postgres, Redis, ClickHouse Server
	Configs

	dir       string
	temporary bool
	jars      string
	engine    *embedded.Stack // runs ClickHouse
}

// Start starts all servers and migrates the databases. If it fails, nothing is left running. ctx
// bounds the start only. The program must call embedded.RunChildIfAsked first thing in main or in
// TestMain.
func Start(ctx context.Context, opts Options) (_ *Stack, err error) {
	s := &Stack{dir: opts.Dir}
	if s.jars, err = parts(); err != nil {
		return nil, err
	}
	if s.dir == "" {
		s.temporary = true
		s.dir, err = os.MkdirTemp("", "feedrank-real-")
	} else {
		s.dir, err = filepath.Abs(s.dir)
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}
	}()
	if err := s.plan(ctx); err != nil {
		return nil, err
	}

	starts, startCtx := errgroup.WithContext(ctx)
	starts.Go(func() error { // Connect keeps what it knows in Kafka
		if err := s.Kafka.Start(startCtx); err != nil {
			return err
		}
		return s.Connect.Start(startCtx)
	})
	starts.Go(func() error { return s.Redis.Start(startCtx) })
	starts.Go(func() error { return s.Postgres.Start(startCtx) })
	starts.Go(func() (err error) {
		s.engine, err = embedded.Start(startCtx, embedded.Options{
			Dir: filepath.Join(s.dir, "engine"), Only: []string{embedded.ClickHouse},
		})
		return err
	})
	if err := starts.Wait(); err != nil {
		return nil, err
	}
	s.ClickHouse = s.engine.ClickHouse
	s.Configs = s.configs()
	if err := s.createDatabase(ctx, mainDatabase); err != nil {
		return nil, err
	}
	return s, s.migrate(ctx)
}

// plan chooses the ports and writes the servers' configurations.
func (s *Stack) plan(ctx context.Context) error {
	folder := map[string]string{}
	for _, name := range []string{"kafka", "connect", "postgres", "redis"} {
		folder[name] = filepath.Join(s.dir, name)
		if err := os.MkdirAll(folder[name], 0o711); err != nil { // PostgreSQL's user must pass through
			return err
		}
	}
	if err := os.Chmod(s.dir, 0o711); err != nil {
		return err
	}
	kafka, err := newKafka(ctx, folder["kafka"], s.jars)
	if err != nil {
		return err
	}
	connect, err := newConnect(ctx, folder["connect"], s.jars, kafka.addr)
	if err != nil {
		return err
	}
	postgres, err := newPostgres(ctx, folder["postgres"])
	if err != nil {
		return err
	}
	redis, err := newRedis(ctx, folder["redis"])
	if err != nil {
		return err
	}
	s.Kafka, s.Connect, s.Postgres, s.Redis = kafka, connect, postgres, redis
	return nil
}

// Servers lists those that were made, those first that others depend on.
func (s *Stack) Servers() []Server {
	var made []Server
	for _, server := range []Server{s.Kafka, s.Postgres, s.Redis, s.ClickHouse, s.Connect} {
		if server != nil {
			made = append(made, server)
		}
	}
	return made
}

// Stop ends all servers in good order and removes a temporary directory.
func (s *Stack) Stop(ctx context.Context) error {
	var errs []error
	if s.Connect != nil { // it says goodbye to Kafka and PostgreSQL
		errs = append(errs, s.Connect.Stop(ctx))
	}
	stops := make(chan error)
	others := []Server{s.Kafka, s.Postgres, s.Redis}
	for _, server := range others {
		go func() {
			if server == nil {
				stops <- nil
				return
			}
			stops <- server.Stop(ctx)
		}()
	}
	for range others {
		errs = append(errs, <-stops)
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Stop(ctx))
	}
	if s.temporary {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stop the real stack: %w", err)
	}
	return nil
}

// Dir is where the servers store. Each prints to <dir>/<name>.log.
func (s *Stack) Dir() string { return s.dir }
