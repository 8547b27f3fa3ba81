package erase

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/sql"
)

// tables are those of ClickHouse that name people, each with a query erase_<table>.sql. Copies come
// before what is made of them.
func tables() []string {
	return []string{
		"events", "post_metrics_1h", "user_author_90d", "users", "posts", "follows", "comments", "likes", "members",
		"hides", "blocks", "viewer_edges",
		"reactions_by_hour", "reactions_by_user", "keys", // last: rows are found by the text of a key, too
	}
}

// askAgain is the pause between two looks at what the server does.
const askAgain = 50 * time.Millisecond

// refuse puts the people on the list, and returns once nothing that was under way can still bring rows of
// theirs, and when their erasure began.
func (e *Eraser) refuse(ctx context.Context, users []core.ID, r *Report) (since time.Time, err error) {
	for _, statement := range []string{"erase_begin", "erase_refuse"} {
		if err := e.write(ctx, statement, clickhouse.Param("users", users)); err != nil {
			return since, err
		}
	}
	since, finished, err := e.states(ctx, users)
	if err != nil {
		return since, err
	}
	r.Again = finished == len(users)
	passed, err := e.writing(ctx)
	if err != nil {
		return since, err
	}
	if err := e.ended(ctx, passed); err != nil {
		return since, err
	}
	if err := worker.Pause(ctx, e.pause); err != nil { // replicas that answer them stop
		return since, err
	}
	return since, e.steps(StepRefused)
}

// states tell when the first of these erasures began, and how many of them were finished before.
func (e *Eraser) states(ctx context.Context, users []core.ID) (since time.Time, finished int, err error) {
	var user proto.ColInt64
	var begun proto.ColDateTime64
	var done proto.ColUInt8
	err = e.read(ctx, "erase_states", proto.Results{
		{Name: "user_id", Data: &user}, {Name: "begun_at", Data: &begun}, {Name: "finished", Data: &done},
	}, func() {
		for i := range user {
			if at := begun.Row(i); since.IsZero() || at.Before(since) {
				since = at
			}
			finished += int(done[i])
		}
	}, clickhouse.Param("users", users))
	return since, finished, err
}

// writing are the statements that write now.
func (e *Eraser) writing(ctx context.Context) (ids map[string]bool, err error) {
	ids = map[string]bool{}
	var id proto.ColStr
	err = e.read(ctx, "erase_writing", proto.Results{{Name: "query_id", Data: &id}}, func() {
		for i := range id.Rows() {
			ids[id.Row(i)] = true
		}
	})
	return ids, err
}

// ended waits until these statements have ended. Each has a deadline of its own.
func (e *Eraser) ended(ctx context.Context, statements map[string]bool) error {
	for {
		now, err := e.writing(ctx)
		if err != nil {
			return err
		}
		for id := range statements {
			if !now[id] {
				delete(statements, id)
			}
		}
		if len(statements) == 0 {
			return nil
		}
		if err := worker.Pause(ctx, askAgain); err != nil {
			return fmt.Errorf("%d statements that began before still write: %w", len(statements), err)
		}
	}
}

// left counts the rows that name these people, by table; tables without any are left out.
func (e *Eraser) left(ctx context.Context, users []core.ID) (map[string]uint64, error) {
	left := map[string]uint64{}
	var place proto.ColStr
	var n proto.ColUInt64
	err := e.read(ctx, "erase_left", proto.Results{{Name: "place", Data: &place}, {Name: "n", Data: &n}}, func() {
		for i := range place.Rows() {
			if n.Row(i) > 0 {
				left[place.Row(i)] += n.Row(i)
			}
		}
	}, clickhouse.Param("users", users))
	if err != nil {
		return nil, fmt.Errorf("look what there is of them: %w", err)
	}
	return left, nil
}

// errRemoval is why the server does not come on with a removal.
var errRemoval = errors.New("the server cannot remove rows")

// removeFrom has a table's rows of erased people removed from its parts, and waits until they are. A removal
// goes on in the server when we are killed.
func (e *Eraser) removeFrom(ctx context.Context, table string) error {
	if err := e.write(ctx, "erase_"+table); err != nil {
		return err
	}
	for {
		var id, reason proto.ColStr
		var failed error
		running := 0
		err := e.read(ctx, "erase_mutations", proto.Results{
			{Name: "mutation_id", Data: &id},
			{Name: "latest_fail_reason", Data: &reason},
		}, func() {
			for i := range id.Rows() {
				running++
				if why := reason.Row(i); why != "" {
					failed = fmt.Errorf("%w: %s", errRemoval, why)
				}
			}
		}, clickhouse.Param("table", table))
		if err := errors.Join(err, failed); err != nil || running == 0 {
			return err
		}
		if err := worker.Pause(ctx, askAgain); err != nil {
			return err
		}
	}
}

// recount has the owners put right what the raw rows that went had been counted in. Days of which the raw
// table had dropped rows before cannot be recounted: there the sums keep them, and say nothing of whom.
func (e *Eraser) recount(ctx context.Context, since time.Time, r *Report) error {
	type cell struct {
		partition int
		day       time.Time
	}
	var cells []cell
	var partition proto.ColUInt16
	var day proto.ColDate
	err := e.read(ctx, "erase_days", proto.Results{
		{Name: "kafka_partition", Data: &partition},
		{Name: "day", Data: &day},
	}, func() {
		for i := range partition {
			cells = append(cells, cell{int(partition[i]), day.Row(i)})
		}
	}, clickhouse.Param("since", since.UnixMilli()))
	if err != nil {
		return fmt.Errorf("which days to recount: %w", err)
	}
	for _, c := range cells {
		if c.day.Before(e.owners.Complete()) || c.partition >= e.owners.Partitions() {
			r.Kept++
			continue
		}
		n, err := e.owners.Reconcile(ctx, c.partition, c.day, c.day)
		if err != nil {
			return fmt.Errorf("recount %s: %w", c.day.Format(time.DateOnly), err)
		}
		r.Days++
		r.Buckets += n
	}
	return nil
}

func (e *Eraser) read(ctx context.Context, name string, result proto.Results, each func(),
	params ...clickhouse.Parameter,
) error {
	return e.db.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body: sql.ClickHouse(name), Parameters: append(params, e.parameters()...), Result: result,
		OnResult: func(context.Context, proto.Block) error { each(); return nil },
	}})
}

func (e *Eraser) write(ctx context.Context, name string, params ...clickhouse.Parameter) error {
	return e.db.Write(ctx, clickhouse.Query{
		Name:  name,
		Query: ch.Query{Body: sql.ClickHouse(name), Parameters: append(params, e.parameters()...)},
	})
}

// parameters are those of all statements: where keys of rows name people, by kind, and the list by its whole name, as
// a removal runs in the server without a database of its own.
func (e *Eraser) parameters() []clickhouse.Parameter {
	all := []clickhouse.Parameter{clickhouse.Param("erased_users", e.db.Database()+".erased_users")}
	for _, kind := range []string{"follow", "comment", "like", "block", "mute", "member", "hide"} {
		places := []int{}
		for _, place := range e.keys.Places[kind] {
			if place > 0 {
				places = append(places, place)
			}
		}
		all = append(all, clickhouse.Param(kind, places))
	}
	return all
}
