package erase

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// Owners own the partitions of the events: they alone may change the counts.
type Owners interface {
	Partitions() int
	// Complete is the first day of which the raw table still has every event.
	Complete() time.Time
	// Reconcile makes the views of some days say what the raw table says.
	Reconcile(ctx context.Context, partition int, first, last time.Time) (wrong uint64, err error)
}

// Eraser erases people.
type Eraser struct {
	db     *clickhouse.Client
	pool   *pgxpool.Pool
	redis  *redis.Client
	owners Owners
	keys   Keys
	steps  func(Step) error
	pause  time.Duration // until every replica obeys
}

// Step is a point between two parts of an erasure.
type Step string

// The steps, in their order.
const (
	StepRefused    Step = "refused"    // nothing new is taken
	StepNoted      Step = "noted"      // the offsets that go are written down
	StepRemoved    Step = "removed"    // ClickHouse has no row of theirs
	StepRecounted  Step = "recounted"  // the counts are those without them
	StepForgotten  Step = "forgotten"  // PostgreSQL and Redis
	StepLookedOver Step = "lookedover" // nothing is left
)

// Steps lists all steps.
func Steps() []Step {
	return []Step{StepRefused, StepNoted, StepRemoved, StepRecounted, StepForgotten, StepLookedOver}
}

// Option changes an Eraser.
type Option func(*Eraser)

// WithSteps has every step announced after it is done; an error ends the erasure there.
func WithSteps(f func(Step) error) Option { return func(e *Eraser) { e.steps = f } }

// WithoutReplicas does not wait for replicas that serve the person, because there are none. For tests.
func WithoutReplicas() Option { return func(e *Eraser) { e.pause = 0 } }

// New makes an eraser. It dials nothing.
func New(db *clickhouse.Client, pool *pgxpool.Pool, r *redis.Client, owners Owners, keys Keys,
	options ...Option,
) *Eraser {
	e := &Eraser{
		db: db, pool: pool, redis: r, owners: owners, keys: keys, steps: func(Step) error { return nil },
		pause: obeyed,
	}
	for _, option := range options {
		option(e)
	}
	return e
}

// MaxUsers is how many people are erased at a time.
const MaxUsers = 1000

// ErrLeft tells that something of the people was still found at the end.
var ErrLeft = errors.New("something is left: run the erasure again")

// rounds bounds how often what is left is removed. One is enough, unless a count was put right meanwhile.
const rounds = 3

// Run erases people, or goes on where an erasure of theirs ended. It returns what this run removed.
func (e *Eraser) Run(ctx context.Context, people []core.Key) (Report, error) {
	r := newReport(people)
	users := make([]core.ID, len(people))
	for i, k := range people {
		users[i] = k.ID
	}
	if len(users) == 0 || len(users) > MaxUsers {
		return r, fmt.Errorf("want 1 to %d users", MaxUsers)
	}
	since, err := e.refuse(ctx, users, &r)
	if err != nil {
		return r, fmt.Errorf("refuse what comes of them from now on: %w", err)
	}
	for round := 0; ; round++ {
		left, err := e.left(ctx, users)
		if err != nil {
			return r, err
		}
		if round > 0 && len(left) == 0 {
			break
		}
		if round == rounds {
			return r, fmt.Errorf("%w: %v", ErrLeft, left)
		}
		if err := e.remove(ctx, left, since, &r); err != nil {
			return r, err
		}
	}
	if err := e.forget(ctx, people, users, &r); err != nil {
		return r, err
	}
	if err := e.steps(StepLookedOver); err != nil {
		return r, err
	}
	if err := e.write(ctx, "erase_finish", clickhouse.Param("users", users)); err != nil {
		return r, fmt.Errorf("note that it is done: %w", err)
	}
	r.Finished = true
	return r, nil
}

// remove removes rows from ClickHouse, and has the counts made without them.
func (e *Eraser) remove(ctx context.Context, left map[string]uint64, since time.Time, r *Report) error {
	if left["events"] > 0 {
		if err := e.write(ctx, "erase_offsets"); err != nil {
			return fmt.Errorf("note the offsets: %w", err)
		}
	}
	if err := e.steps(StepNoted); err != nil {
		return err
	}
	for _, table := range tables() { // the raw events first: a recount must not bring counts of theirs back
		if left[table] == 0 {
			continue
		}
		if err := e.removeFrom(ctx, table); err != nil {
			return fmt.Errorf("remove from %s: %w", table, err)
		}
		r.Rows[table] += left[table]
	}
	if err := e.steps(StepRemoved); err != nil {
		return err
	}
	if err := e.recount(ctx, since, r); err != nil {
		return err
	}
	return e.steps(StepRecounted)
}

// forget removes what Redis and our schema in PostgreSQL have.
func (e *Eraser) forget(ctx context.Context, people []core.Key, users []core.ID, r *Report) error {
	if err := e.forgetPostgres(ctx, people, r); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	if err := e.forgetRedis(ctx, users, r); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return e.steps(StepForgotten)
}
