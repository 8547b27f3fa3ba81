package writes

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// CDC is the way of changes from PostgreSQL into ClickHouse: how long one takes, and how many go in a
// second. Rows of its own are deleted at the end.
func CDC() harness.Bench {
	return harness.Bench{
		Name: "cdc", Says: "from a commit in PostgreSQL to its row in ClickHouse, and changes a second",
		Run: func(ctx context.Context, on *harness.Environment) (err error) {
			if _, err := on.Serve(ctx, "program", "cdc-source,cdc-consumer"); err != nil {
				return err
			}
			first := on.World.Posts + 1_000_000_000 // beyond every id that the world and other benches use
			defer func() {
				// the world is made anew one day
				_, _ = on.Postgres.Exec(context.WithoutCancel(ctx), "DELETE FROM posts WHERE id >= $1", first)
			}()
			if _, err := on.Trials(ctx, "until the first change is there", 1, 1,
				func(ctx context.Context, _ int) (time.Duration, error) {
					return postArrives(ctx, on, first)
				}); err != nil {
				return err
			}
			n := trials(on, 200)
			times, err := on.Trials(ctx, "commit to ClickHouse", n, 1,
				func(ctx context.Context, i int) (time.Duration, error) {
					return postArrives(ctx, on, first+1+i)
				})
			if err != nil {
				return err
			}
			rows := 100_000
			if on.For > 0 {
				rows = min(rows, 2000*int(on.For.Seconds()))
			}
			bulk := first + 10_000
			if _, err := on.Trials(ctx, fmt.Sprintf("a transaction of %d rows", rows), 1, 1,
				func(ctx context.Context, _ int) (time.Duration, error) {
					return rowsArrive(ctx, on, bulk, rows)
				}); err != nil {
				return err
			}
			p := on.LastPhase()
			on.Figure("commit to visible in ClickHouse: P95", "ms", 10_000, 1000, times.P95)
			on.Note("  P50", "ms", times.P50)
			on.Note("  P99", "ms", times.P99)
			on.Note("one transaction, read and applied", "rows/s", float64(rows)/p.Seconds)
			on.Note("  rows for each CPU second of the program", "rows", float64(rows)/p.Usage["program"].CPUSeconds)
			return nil
		},
	}
}

func postArrives(ctx context.Context, on *harness.Environment, id int) (time.Duration, error) {
	if _, err := on.Postgres.Exec(ctx, "INSERT INTO posts (id, author_id, body) VALUES ($1, 1, 'bench')",
		id); err != nil {
		return 0, err
	}
	return harness.Seen(ctx, "the post is in ClickHouse", func() (bool, error) {
		n, err := on.Count(ctx, fmt.Sprintf("SELECT toInt64(count()) AS n FROM posts WHERE id = %d", id))
		return n > 0, err
	})
}

func rowsArrive(ctx context.Context, on *harness.Environment, first, n int) (time.Duration, error) {
	began := time.Now()
	_, err := on.Postgres.CopyFrom(ctx, pgx.Identifier{"posts"}, []string{"id", "author_id", "body"},
		pgx.CopyFromSlice(n, func(i int) ([]any, error) {
			return []any{first + i, 1 + i%on.World.Users, "bench"}, nil
		}))
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	err = harness.Until(ctx, 50*time.Millisecond, "all rows are in ClickHouse", func() (bool, error) {
		found, err := on.Count(ctx, fmt.Sprintf("SELECT toInt64(count()) AS n FROM posts WHERE id >= %d", first))
		return found >= int64(n), err
	})
	return time.Since(began), err
}
