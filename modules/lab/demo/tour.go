package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/core"
)

// tour is one tour on its way.
type tour struct {
	opts    Options
	deps    Deps
	db      *pgxpool.Pool
	client  *client
	screen  *screen
	cast    *cast
	figures []Figure
	targets []target // posts of friends that the viewer's feed shows, each of another friend
	liked   int

	life    context.CancelFunc
	lifeEnd chan error
}

// step is one thing that the tour shows.
type step struct {
	name  string
	code  string // where in the repository to read on
	limit time.Duration
	run   func(*tour, context.Context) error
}

func steps() []step {
	return []step{
		{"A ranked feed, explained", "modules/feed/rank/score.go", time.Minute, (*tour).showRanking},
		{"A like changes the feed", "modules/events", 10 * time.Minute, (*tour).showLike},
		{"A commit reaches the cached feed", "modules/cdc", 10 * time.Minute, (*tour).showPosts},
		{"A block removes its author at once", "modules/feed/reserve", time.Minute, (*tour).showBlock},
		{"ClickHouse is killed, and the feed goes on", "modules/breaker", 3 * time.Minute, (*tour).showOutage},
	}
}

// Run leads through the steps. With Once it ends after them, prints one line of figures, and returns
// an error that names every step that did not hold. Otherwise it says so on the screen, and goes on
// until ctx ends.
func Run(ctx context.Context, opts Options, deps Deps) error {
	if opts.Trials == 0 {
		opts.Trials = 20
	}
	if opts.Trials < 1 || opts.Trials > 10_000 {
		return fmt.Errorf("trials=%d: want 1 to 10000", opts.Trials)
	}
	t := &tour{opts: opts, deps: deps, db: deps.Postgres, client: newClient(deps), screen: newScreen(opts.Out)}
	defer t.client.http.CloseIdleConnections()
	t.figures = append(t.figures, opts.Figures...)
	if t.opts.patience == (patience{}) {
		t.opts.patience = defaultPatience()
	}
	if err := t.begin(ctx); err != nil {
		return err
	}
	defer t.stopLife()
	failed := t.walk(ctx)
	if ctx.Err() != nil {
		if opts.Once {
			return errors.Join(failed, context.Cause(ctx))
		}
		return nil
	}
	if opts.Once {
		t.printFigures(failed == nil)
		return failed
	}
	if err := t.nextSteps(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// begin finds the people and waits until their feeds are there.
func (t *tour) begin(ctx context.Context) (err error) {
	if t.cast, err = findCast(ctx, t.db); err != nil {
		return fmt.Errorf("begin the tour: %w", err)
	}
	started := time.Now()
	p, err := t.settle(ctx)
	if err != nil {
		return err
	}
	t.note("settle_ms", time.Since(started))
	if p, err = t.choose(ctx, p); err != nil {
		return fmt.Errorf("begin the tour: %w", err)
	}
	if err := t.cast.befriend(ctx, t.db, p); err != nil {
		return fmt.Errorf("begin the tour: %w", err)
	}
	t.startLife(ctx)
	return nil
}

func (t *tour) walk(ctx context.Context) error {
	var failed error
	for i, s := range steps() {
		t.screen.title(i+1, s.name)
		err := t.one(ctx, s)
		if ctx.Err() != nil {
			return failed
		}
		if err != nil {
			t.screen.failed(err)
			failed = errors.Join(failed, fmt.Errorf("step %d (%s): %w", i+1, s.name, err))
			continue
		}
		t.screen.held(s.code)
	}
	return failed
}

func (t *tour) one(ctx context.Context, s step) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.limit, fmt.Errorf("the step took longer than %s", s.limit))
	defer cancel()
	return s.run(t, ctx)
}

// startLife lets everybody live but the viewer and their friends.
func (t *tour) startLife(ctx context.Context) {
	if t.deps.Life == nil {
		return
	}
	ctx, t.life = context.WithCancel(ctx)
	t.lifeEnd = make(chan error, 1)
	go func() { t.lifeEnd <- t.deps.Life(ctx, t.cast.aside()) }()
	t.screen.line("%s", t.screen.paint(dim, "People are posting, looking and liking meanwhile."))
}

func (t *tour) stopLife() {
	if t.life == nil {
		return
	}
	t.life()
	if err := <-t.lifeEnd; err != nil && !errors.Is(err, context.Canceled) {
		t.screen.say("%s %v", t.screen.paint(yellow, "life ended early:"), err)
	}
}

// note keeps a duration for the line of figures.
func (t *tour) note(name string, d time.Duration) {
	t.figures = append(t.figures, Figure{name, fmt.Sprint(d.Milliseconds())})
}

func (t *tour) count(name string, n int) {
	t.figures = append(t.figures, Figure{name, fmt.Sprint(n)})
}

func (t *tour) printFigures(held bool) {
	words := make([]string, 0, len(t.figures)+1)
	words = append(words, fmt.Sprintf("held=%t", held))
	for _, f := range t.figures {
		words = append(words, f.Name+"="+f.Value)
	}
	t.screen.line("")
	t.screen.line("%s", strings.Join(words, " "))
}

// look reads the viewer's page, explained.
func (t *tour) look(ctx context.Context) (*page, error) {
	return t.client.feed(ctx, t.cast.viewer, pageLimit, true)
}

// checked reads the viewer's page and holds it against PostgreSQL. A commit that falls between the
// page and the check is given one more page to show.
func (t *tour) checked(ctx context.Context, viewer core.ID) (*page, error) {
	var wrong error
	var p *page
	_, err := until(ctx, min(3*time.Second, t.opts.patience.show), 100*time.Millisecond,
		func(ctx context.Context) (_ bool, err error) {
			if p, err = t.client.feed(ctx, viewer, pageLimit, true); err != nil {
				return false, err
			}
			wrong = p.check(ctx, t.db, viewer)
			return wrong == nil, nil
		})
	if err != nil && wrong != nil {
		return nil, wrong
	}
	return p, err
}
