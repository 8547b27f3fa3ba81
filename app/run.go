package app

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"go.uber.org/dig"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/console"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/tuning"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Version is that of the program; main sets it.
var Version = "dev"

// composition is everything that a process with this configuration consists of.
func composition(cfg config.Config, log *zap.Logger) fx.Option {
	cfg = cfg.WithKeyForms()
	cfg.Auth.SessionKey = cfg.Console.OIDC.SessionKey() // what one replica signs, another verifies
	options := []fx.Option{
		fx.Supply(log),
		fx.Provide(
			func() core.Clock { return core.SystemClock{} },
			func(s fx.Shutdowner) worker.Failure { return failure{shutdowner: s, log: log} },
		),
		supplySettings(cfg), fx.Supply(processRoles(cfg.Roles)),
		fx.WithLogger(func() fxevent.Logger { return startLog{log} }),
		fx.StartTimeout(cfg.Lifecycle.StartTimeout), fx.StopTimeout(cfg.Lifecycle.StopTimeout),
	}
	for _, choice := range Choose(cfg) {
		switch {
		case choice.On:
			options = append(options, choice.Options)
		case choice.Off != nil:
			options = append(options, choice.Off)
		}
	}
	return fx.Options(options...)
}

// supplySettings gives every module's settings to the graph by their types.
func supplySettings(cfg config.Config) fx.Option {
	v := reflect.ValueOf(cfg)
	var settings []any
	var seen []reflect.Type
	for i := range v.NumField() {
		t := v.Field(i).Type()
		if t.Kind() == reflect.Struct && !slices.Contains(seen, t) {
			seen = append(seen, t)
			settings = append(settings, v.Field(i).Interface())
		}
	}
	return fx.Supply(settings...)
}

// Serve runs the roles of the configuration until ctx ends or a worker fails for good. When it
// returns, nothing is left running.
func Serve(ctx context.Context, cfg config.Config, log *zap.Logger, options ...Option) error {
	if err := config.CheckPublished(cfg); err != nil {
		return err
	}
	program, err := Start(ctx, cfg, log, options...)
	if err != nil {
		return err
	}
	return program.Wait(ctx)
}

// Option changes how a program runs.
type Option struct{ graph fx.Option }

// FollowFile has the ranking follow the file that the configuration was read from: read reads it again.
func FollowFile(path string, read func() (config.Config, error)) Option {
	return Option{fx.Supply(tuning.File{Path: path, Read: func() (rank.Config, error) {
		cfg, err := read()
		return cfg.Ranking, err
	}})}
}

// Program is a running process.
type Program struct {
	fx      *fx.App
	cfg     config.Config
	server  *httpserver.Server
	console *console.Console // nil: this process has none
	done    <-chan fx.ShutdownSignal
	log     *zap.Logger
}

// Addr is where its HTTP server listens.
func (p *Program) Addr() string { return p.server.Addr() }

// AdminAddr is where operators call; the same as Addr if there is no other.
func (p *Program) AdminAddr() string { return p.server.AdminAddr() }

// Routes are the calls that it answers.
func (p *Program) Routes() []httpserver.Route { return p.server.Routes() }

// Start composes and starts the program. It returns once every module has started, or stops what
// had started and says which module failed.
func Start(ctx context.Context, cfg config.Config, log *zap.Logger, options ...Option) (*Program, error) {
	cfg.Feed.CursorSecrets = cfg.FeedSecrets()
	graph := composition(cfg, log)
	for _, option := range options {
		graph = fx.Options(graph, option.graph)
	}
	var server *httpserver.Server
	var pages *console.Console
	program := fx.New(graph, fx.Populate(&server, &pages))
	if err := program.Err(); err != nil {
		return nil, fmt.Errorf("compose the modules: %w", dig.RootCause(err))
	}
	done := program.Wait()
	starting, cancel := context.WithTimeout(ctx, program.StartTimeout())
	defer cancel()
	watch := core.StartStopwatch()
	if err := program.Start(starting); err != nil { // fx has stopped what had started, but for its own signal handler
		stopping, cancel := context.WithTimeout(context.Background(), program.StopTimeout())
		defer cancel()
		return nil, errors.Join(fmt.Errorf("start: %w", err), program.Stop(stopping))
	}
	log.Info("started", zap.Strings("roles", cfg.Roles), zap.Duration("took", watch.Elapsed()))
	return &Program{fx: program, cfg: cfg, server: server, console: pages, done: done, log: log}, nil
}

// ErrFailed is returned by Wait when a worker ended for good; its reason is in the log.
var ErrFailed = errors.New("a worker failed; the log says why")

// Wait returns after a stop: because ctx ended, or because a worker failed.
func (p *Program) Wait(ctx context.Context) error {
	var failed error
	select {
	case <-ctx.Done():
	case signal := <-p.done:
		if signal.ExitCode != 0 {
			failed = ErrFailed
		}
	}
	return errors.Join(failed, p.Stop())
}

// Stop drains and stops every module, within lifecycle.stop_timeout.
func (p *Program) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), p.fx.StopTimeout())
	defer cancel()
	watch := core.StartStopwatch()
	if err := p.fx.Stop(ctx); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	p.log.Info("stopped", zap.Duration("took", watch.Elapsed()))
	return nil
}

// failure stops the program when a worker cannot go on.
type failure struct {
	shutdowner fx.Shutdowner
	log        *zap.Logger
}

func (f failure) Fail(name string, err error) {
	f.log.Error("worker failed; the process stops", zap.String("worker", name), zap.Error(err))
	if err := f.shutdowner.Shutdown(fx.ExitCode(1)); err != nil {
		f.log.Error("shut down", zap.Error(err))
	}
}

// startLog tells of the graph only what somebody who operates it wants to know.
type startLog struct{ log *zap.Logger }

func (l startLog) LogEvent(event fxevent.Event) {
	switch e := event.(type) {
	case *fxevent.OnStartExecuted:
		if e.Err != nil {
			l.log.Error("start failed", zap.String("in", e.CallerName), zap.Error(e.Err))
		} else {
			l.log.Debug("started", zap.String("in", e.CallerName), zap.Duration("took", e.Runtime))
		}
	case *fxevent.OnStopExecuted:
		if e.Err != nil {
			l.log.Error("stop failed", zap.String("in", e.CallerName), zap.Error(e.Err))
		} else {
			l.log.Debug("stopped", zap.String("in", e.CallerName), zap.Duration("took", e.Runtime))
		}
	}
}
