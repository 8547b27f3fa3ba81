package seed

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/time/rate"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/seed/random"
	"github.com/feedrank/feedrank/modules/lab/seed/world"
	"github.com/feedrank/feedrank/sql"
)

// What life knows of a world, at most.
const (
	maxPeople = 500
	maxRecent = 2000
)

// LifeConfig says how busy people are.
type LifeConfig struct {
	Seed     uint64
	Posts    float64   // a second
	Sessions float64   // a second: somebody looks at a few posts, likes or comments on some
	Except   []core.ID // who keeps out of it: they do nothing, and nobody looks at what they write
}

// Life keeps the people of a database posting, looking, liking and commenting: rows into the app's
// tables, events into the sink. It learns who is there from the database, so it lives in any world.
// A server that is away for a while does not end it.
type Life struct {
	cfg    LifeConfig
	pool   *pgxpool.Pool
	events EventSink
	clock  core.Clock
	rng    *rand.Rand

	people []person
	recent []core.Post // oldest first

	posts, sessions, failures atomic.Int64
}

type person struct {
	id        core.ID
	followees []core.ID
}

// NewLife makes a life. Run begins it.
func NewLife(cfg LifeConfig, pool *pgxpool.Pool, events EventSink, clock core.Clock) *Life {
	return &Life{cfg: cfg, pool: pool, events: events, clock: clock, rng: random.New(cfg.Seed, "life", 0)}
}

// Counts tells how many posts were written, how many sessions were held, and how often something did
// not work out.
func (l *Life) Counts() (posts, sessions, failures int64) {
	return l.posts.Load(), l.sessions.Load(), l.failures.Load()
}

// ErrNobody is returned where nobody follows anybody.
var ErrNobody = errors.New("nobody in the app's database follows anybody: seed it first")

// Run goes on until ctx ends; then it returns nil. An error means that it could not begin.
func (l *Life) Run(ctx context.Context) error {
	if err := l.learn(ctx); err != nil {
		return fmt.Errorf("life: %w", err)
	}
	total := l.cfg.Posts + l.cfg.Sessions
	if total <= 0 {
		<-ctx.Done()
		return nil
	}
	pace := rate.NewLimiter(rate.Limit(total), int(math.Max(1, total/10)))
	for pace.Wait(ctx) == nil {
		act := l.session
		if l.rng.Float64() < l.cfg.Posts/total {
			act = l.post
		}
		// People do not stop for an outage, and neither does this: the next one tries again.
		if err := act(ctx); err != nil && ctx.Err() == nil {
			l.failures.Add(1)
		}
	}
	return nil
}

// learn reads who is there and what they wrote last.
func (l *Life) learn(ctx context.Context) error {
	rows, err := l.pool.Query(ctx, sql.Postgres("seed_life_people"), maxPeople)
	if err != nil {
		return err
	}
	people, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p person, err error) {
		err = row.Scan(&p.id, &p.followees)
		return p, err
	})
	if err != nil {
		return fmt.Errorf("people: %w", err)
	}
	l.people = slices.DeleteFunc(people, func(p person) bool { return slices.Contains(l.cfg.Except, p.id) })
	if len(l.people) == 0 {
		return ErrNobody
	}
	rows, err = l.pool.Query(ctx, sql.Postgres("seed_life_posts"), maxRecent)
	if err != nil {
		return err
	}
	l.recent, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p core.Post, err error) {
		err = row.Scan(&p.ID, &p.AuthorID, &p.CreatedAt)
		return p, err
	})
	if err != nil {
		return fmt.Errorf("posts: %w", err)
	}
	slices.Reverse(l.recent)
	return nil
}

// post lets somebody whom somebody follows write.
func (l *Life) post(ctx context.Context) error {
	reader := l.people[l.rng.IntN(len(l.people))]
	author := reader.followees[l.rng.IntN(len(reader.followees))]
	if slices.Contains(l.cfg.Except, author) {
		return nil
	}
	p := core.Post{AuthorID: author}
	if err := l.pool.QueryRow(ctx, sql.Postgres("seed_life_post"), int64(author), world.Body(l.rng)).Scan(&p.ID,
		&p.CreatedAt); err != nil {
		return fmt.Errorf("post of user %d: %w", author, err)
	}
	if l.recent = append(l.recent, p); len(l.recent) > maxRecent {
		l.recent = slices.Clone(l.recent[maxRecent/2:])
	}
	l.posts.Add(1)
	return nil
}

// session lets somebody look at a few posts and react to some.
func (l *Life) session(ctx context.Context) error {
	if len(l.recent) == 0 {
		return nil
	}
	viewer := l.people[l.rng.IntN(len(l.people))]
	var events []core.Event
	var rows pgx.Batch
	for range 2 + random.Geometric(l.rng, 4, 15) {
		// The newer, the likelier.
		u := l.rng.Float64()
		post := l.recent[len(l.recent)-1-int(u*u*float64(len(l.recent)))]
		if post.AuthorID != viewer.id && !slices.Contains(l.cfg.Except, post.AuthorID) {
			events = append(events, l.look(viewer.id, post, &rows)...)
		}
	}
	if len(events) == 0 {
		return nil
	}
	if err := l.events.Send(ctx, events); err != nil {
		return err
	}
	l.sessions.Add(1)
	if rows.Len() == 0 {
		return nil
	}
	if err := l.pool.SendBatch(ctx, &rows).Close(); err != nil {
		return fmt.Errorf("reactions of user %d: %w", viewer.id, err)
	}
	return nil
}

// look is what somebody does with one post: events, and the rows of a like or a comment.
func (l *Life) look(viewer core.ID, post core.Post, rows *pgx.Batch) []core.Event {
	now := l.clock.Now().UTC().Truncate(time.Millisecond)
	event := func(action core.Action) core.Event {
		return core.Event{
			ID: world.EventID(l.rng), UserID: viewer, PostID: post.ID, AuthorID: post.AuthorID, Action: action,
			OccurredAt: now, Device: "web", AppVersion: "4.2.0",
		}
	}
	events := []core.Event{event(core.ActionImpression)}
	if l.rng.Float64() < 0.4 {
		dwell := event(core.ActionDwell)
		dwell.DwellMillis = 500 + l.rng.Uint32N(8000)
		events = append(events, event(core.ActionView), dwell)
		if l.rng.Float64() < 0.4 {
			events = append(events, event(core.ActionLike))
			rows.Queue(sql.Postgres("seed_life_like"), int64(viewer), int64(post.ID))
		}
		if l.rng.Float64() < 0.1 {
			events = append(events, event(core.ActionComment))
			rows.Queue(sql.Postgres("seed_life_comment"), int64(viewer), int64(post.ID), world.Remark(l.rng))
		}
	}
	return events
}
