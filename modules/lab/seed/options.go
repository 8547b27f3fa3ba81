package seed

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/seed/world"
)

// Options say which world, and how it is written.
type Options struct {
	World        world.Options // Now may be left open: then the clock's
	Keys         Keys          // of users and posts
	CreateSchema bool          // create the example app's tables where they are not there
	CommitRows   int           // rows of one commit; 1 to 1000000
	EventBatch   int           // events handed to the sink at once; 1 to 1000000
}

// DefaultOptions are those of a small world.
func DefaultOptions() Options {
	small, err := world.Scale(world.Small)
	if err != nil {
		panic(err) // a constant
	}
	return Options{World: small, CommitRows: 5_000, EventBatch: 2_000}
}

// Validate tells everything that is wrong with the options.
func (o Options) Validate() error {
	var problems []error
	if o.CommitRows < 1 || o.CommitRows > 1_000_000 {
		problems = append(problems, errors.New("commit rows: want 1 to 1000000"))
	}
	if o.EventBatch < 1 || o.EventBatch > 1_000_000 {
		problems = append(problems, errors.New("event batch: want 1 to 1000000"))
	}
	problems = append(problems, o.Keys.check())
	world := o.World
	if world.Now.IsZero() { // the clock's
		world.Now = time.Now()
	}
	return errors.Join(append(problems, world.Validate())...)
}

// EventSink takes events. Send returns once they are safe; sending them again after an error counts
// them once. The slice belongs to the caller when Send returns.
type EventSink interface {
	Send(ctx context.Context, events []core.Event) error
}

// Sinks are where a world goes. One that is nil is left out.
type Sinks struct {
	Postgres *pgxpool.Pool
	// Copied is told the rows of a table that PostgreSQL has taken, in the order of the columns below.
	Copied func(ctx context.Context, table string, rows [][]any) error
	Events EventSink
}

// The columns of the app's tables, as they are written.
var columns = map[string][]string{
	"users":    {"id", "name", "created_at"},
	"posts":    {"id", "author_id", "body", "status", "created_at", "updated_at", "deleted_at"},
	"follows":  {"follower_id", "followee_id", "created_at"},
	"blocks":   {"blocker_id", "blocked_id", "created_at"},
	"mutes":    {"muter_id", "muted_id", "created_at"},
	"likes":    {"user_id", "post_id", "created_at"},
	"comments": {"id", "author_id", "post_id", "created_at", "body"},
}

// What keeps a database from being seeded. The messages say what to do.
var (
	ErrNoTables = errors.New("the app's tables are not in this database: run with --create-schema to create the example schema," +
		" or set postgres.dsn to a database that has it")
	ErrNotEmpty = errors.New("the app's database already has users or posts: seed an empty one (postgres.dsn)")
)
