package seed

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/seed/world"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/sql"
)

// loader writes rows with COPY, each batch a commit of its own, so that CDC gets transactions of an
// ordinary size and begins before the load ends.
type loader struct {
	conn       *pgx.Conn
	keys       Keys
	commitRows int
	copied     func(ctx context.Context, table string, rows [][]any) error
}

func load(ctx context.Context, opts Options, w *world.World, sinks Sinks, meter *meter) (err error) {
	pooled, err := sinks.Postgres.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect (postgres.dsn): %w", err)
	}
	// A connection whose settings were changed does not go back into the pool.
	conn := pooled.Hijack()
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if _, err := conn.Exec(ctx, "SET statement_timeout = 0"); err != nil {
		return err
	}
	if err := prepare(ctx, conn, opts.CreateSchema, opts.Keys); err != nil {
		return err
	}
	// The rows fit each other: where we may, PostgreSQL does not ask so for each foreign key.
	_, _ = conn.Exec(ctx, "SET session_replication_role = replica")
	l := &loader{conn: conn, keys: opts.Keys, commitRows: opts.CommitRows, copied: sinks.Copied}
	if err := l.tables(ctx, w, meter); err != nil {
		return err
	}
	if err := l.reactions(ctx, w, meter); err != nil {
		return err
	}
	if !opts.Keys.UUIDs() {
		if _, err := conn.Exec(ctx, sql.Postgres("seed_sequences")); err != nil {
			return fmt.Errorf("move the sequences on: %w", err)
		}
	}
	if _, err := conn.Exec(ctx, sql.Postgres("seed_analyze")); err != nil {
		return fmt.Errorf("analyze: %w", err)
	}
	return nil
}

// Check tells what would keep a world out of the app's database, and changes nothing. With create, tables that
// are missing are no reason.
func Check(ctx context.Context, pool *pgxpool.Pool, create bool) error {
	err := pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error { return prepare(ctx, c.Conn(), false, "") })
	if create && errors.Is(err, ErrNoTables) {
		return nil
	}
	return err
}

// prepare sees to it that the tables are there and empty.
func prepare(ctx context.Context, conn *pgx.Conn, create bool, keys Keys) error {
	if create {
		schema := sql.ExampleSchema()
		if keys.UUIDs() {
			schema = sql.ExampleSchemaOfUUIDs()
		}
		if _, err := conn.Exec(ctx, schema); err != nil {
			return fmt.Errorf("create the example schema: %w", err)
		}
	}
	var used bool
	switch err := conn.QueryRow(ctx, sql.Postgres("seed_state")).Scan(&used); {
	case postgres.IsUndefined(err):
		return fmt.Errorf("%w (%s)", ErrNoTables, err.Error())
	case err != nil:
		return err
	case used:
		return ErrNotEmpty
	}
	return nil
}

func (l *loader) tables(ctx context.Context, w *world.World, meter *meter) error {
	count := w.Count()
	users, posts := table("users"), table("posts")
	for _, step := range []func() error{
		func() error {
			return copyRows(ctx, l, meter, users, count.Users, w.Users(), func(u world.User) []any {
				return []any{l.keys.user(u.ID), u.Name, u.CreatedAt}
			})
		},
		func() error { return l.pairs(ctx, meter, "follows", count.Follows, w.Follows()) },
		func() error { return l.pairs(ctx, meter, "blocks", count.Blocks, w.Blocks()) },
		func() error { return l.pairs(ctx, meter, "mutes", count.Mutes, w.Mutes()) },
		func() error {
			return copyRows(ctx, l, meter, posts, count.Posts, w.Posts(), func(p world.Post) []any {
				return []any{
					l.keys.post(p.ID), l.keys.user(p.AuthorID), p.Body, p.Status, p.CreatedAt, p.CreatedAt, p.DeletedAt,
				}
			})
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) pairs(ctx context.Context, meter *meter, name string, total int, rows iter.Seq[world.Pair]) error {
	return copyRows(ctx, l, meter, table(name), total, rows, func(p world.Pair) []any {
		return []any{l.keys.user(p.From), l.keys.user(p.To), p.CreatedAt}
	})
}

// reactions writes likes and comments side by side, in one pass over the events.
func (l *loader) reactions(ctx context.Context, w *world.World, meter *meter) error {
	likes, comments := table("likes"), table("comments")
	stage := meter.begin("likes and comments", 0)
	defer stage.end()
	comment := core.ID(0)
	for action, r := range w.Reactions() {
		batch, row := likes, []any{l.keys.user(r.UserID), l.keys.post(r.PostID), r.CreatedAt}
		if action == core.ActionComment {
			comment++
			batch, row = comments, []any{l.keys.comment(comment), row[0], row[1], r.CreatedAt, r.Body}
		}
		if err := batch.add(ctx, l, stage, row); err != nil {
			return err
		}
	}
	return errors.Join(likes.flush(ctx, l, stage), comments.flush(ctx, l, stage))
}

func copyRows[R any](ctx context.Context, l *loader, meter *meter, to *batch, total int, rows iter.Seq[R],
	row func(R) []any,
) error {
	stage := meter.begin(to.table, total)
	defer stage.end()
	for r := range rows {
		if err := to.add(ctx, l, stage, row(r)); err != nil {
			return err
		}
	}
	return to.flush(ctx, l, stage)
}

// batch is what the next commit to a table holds.
type batch struct {
	table string
	rows  [][]any
}

func table(name string) *batch { return &batch{table: name} }

func (b *batch) add(ctx context.Context, l *loader, stage *stage, row []any) error {
	b.rows = append(b.rows, row)
	if len(b.rows) < l.commitRows {
		return nil
	}
	return b.flush(ctx, l, stage)
}

func (b *batch) flush(ctx context.Context, l *loader, stage *stage) error {
	if len(b.rows) == 0 {
		return nil
	}
	n, err := l.conn.CopyFrom(ctx, pgx.Identifier{b.table}, columns[b.table], pgx.CopyFromRows(b.rows))
	if err != nil {
		return fmt.Errorf("copy to %s after %d rows: %w", b.table, stage.done, err)
	}
	if l.copied != nil {
		if err := l.copied(ctx, b.table, b.rows); err != nil {
			return fmt.Errorf("copy of %s after %d rows: %w", b.table, stage.done, err)
		}
	}
	stage.add(int(n))
	clear(b.rows)
	b.rows = b.rows[:0]
	return nil
}
