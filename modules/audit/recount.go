package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/sql"
)

// view is a table of counts. What it should say is defined by the query by which its owners put it
// right, so that there is one definition.
type view struct {
	table      string
	difference string // the query
	time       string // the column by which it is cut
	bucket     string // names a bucket
	counts     []string
	step       time.Duration // of a bucket
}

func views() []view {
	return []view{
		{
			table: "post_metrics_1h", difference: "event_difference_post_metrics", step: time.Hour, time: "hour",
			bucket: "concat('hour ', formatDateTime(hour, '%H'), ', post ', toString(post_id), ' of author ', toString(author_id))",
			counts: []string{"exposures", "views", "clicks", "likes", "comments", "shares", "hides"},
		},
		{
			table: "user_author_90d", difference: "event_difference_user_author", step: day,
			time:   "toDateTime(day, 'UTC')",
			bucket: "concat('user ', toString(user_id), ' and author ', toString(author_id))",
			counts: []string{"views", "clicks", "likes", "comments", "shares", "hides"},
		},
	}
}

const day = 24 * time.Hour

// maxBuckets bounds how many buckets of a cell are looked at one by one.
const maxBuckets = 1000

// statement lists the buckets of a cell that differ, and what must be added to each.
func (v view) statement() string {
	parts := make([]string, len(v.counts))
	for i, c := range v.counts {
		parts[i] = fmt.Sprintf("if(%s = 0, '', concat(' %s ', toString(%s)))", c, c, c)
	}
	if v.table == "post_metrics_1h" {
		parts = append(parts,
			"if(arrayExists(n -> n != 0, mapValues(dwell)), concat(' dwell ', toString(mapFilter((k, n) -> n != 0, dwell))), '')")
	}
	return "SELECT " + v.bucket + " AS bucket, concat(" + strings.Join(parts, ", ") +
		") AS difference, count() OVER () AS total FROM (" +
		strings.TrimRight(sql.ClickHouse(v.difference), "; \n") + ") WHERE " + v.time +
		" >= toDateTime({from:Int64}, 'UTC') AND " + v.time +
		" < toDateTime({to:Int64}, 'UTC') ORDER BY bucket LIMIT " + fmt.Sprint(maxBuckets)
}

// cell is one partition's part of a view on a day, as far as it is closed: what one query recounts.
type cell struct {
	view
	partition uint16
	from, to  time.Time
}

// suspect is a cell with the buckets that differ in every look at it.
type suspect struct {
	cell
	buckets map[string]string // what must be added to each
	total   uint64
}

func (s suspect) finding(repaired bool) Finding {
	names := make([]string, 0, len(s.buckets))
	for name := range s.buckets {
		names = append(names, name)
	}
	slices.Sort(names)
	f := Finding{
		Kind: ViewDiffers, Partition: s.partition, View: s.table, Where: s.from.Format(time.DateOnly),
		Count: s.total, Repaired: repaired,
	}
	if len(names) > 0 {
		f.Detail = names[0] + " lacks" + s.buckets[names[0]]
	}
	return f
}

// recount looks at every closed hour and day since from. A bucket counts as wrong if it differs by the
// same in every look for as long as a batch takes to settle: an insert reaches the raw table a moment
// before the views.
func (a *Auditor) recount(ctx context.Context, r *Report, partitions []uint16, from time.Time) ([]suspect, error) {
	suspects, err := a.suspects(ctx, r, partitions, from)
	if err != nil {
		return nil, err
	}
	return a.settle(ctx, r, suspects)
}

// suspects are the cells that differ at the first look.
func (a *Auditor) suspects(ctx context.Context, r *Report, partitions []uint16, from time.Time) (suspects []suspect,
	err error,
) {
	for _, v := range views() {
		closed := r.StartedAt.Truncate(v.step)
		for at := from.Truncate(v.step); at.Before(closed); at = at.Truncate(day).Add(day) {
			to := at.Truncate(day).Add(day)
			if to.After(closed) {
				to = closed
			}
			for _, p := range partitions {
				s, err := a.look(ctx, cell{view: v, partition: p, from: at, to: to})
				if err != nil {
					return nil, err
				}
				if s.total > 0 {
					suspects = append(suspects, s)
				}
			}
			if n := uint64(to.Sub(at)/v.step) * uint64(len(partitions)); v.step == day {
				r.Checked.Days += n
			} else {
				r.Checked.Hours += n
			}
		}
	}
	return suspects, nil
}

// look recounts a cell.
func (a *Auditor) look(ctx context.Context, c cell) (suspect, error) {
	s := suspect{cell: c, buckets: map[string]string{}}
	var bucket, difference proto.ColStr
	var total proto.ColUInt64
	today := c.from.Format(time.DateOnly)
	err := a.read(ctx, "audit_"+c.table, c.statement(), proto.Results{
		{Name: "bucket", Data: &bucket}, {Name: "difference", Data: &difference}, {Name: "total", Data: &total},
	}, func() {
		for i := range bucket.Rows() {
			s.buckets[bucket.Row(i)], s.total = difference.Row(i), total.Row(i)
		}
	}, clickhouse.Param("partition", c.partition), clickhouse.Param("epoch", 0), clickhouse.Param("after", 0),
		clickhouse.Param("whole", true), clickhouse.Param("posts", []int64{}), clickhouse.Param("first", today),
		clickhouse.Param("last", today),
		clickhouse.Param("from", c.from.Unix()), clickhouse.Param("to", c.to.Unix()))
	if err != nil {
		return s, fmt.Errorf("%s of partition %d at %s: %w", c.table, c.partition, c.from.Format(time.RFC3339), err)
	}
	return s, nil
}

// again looks once more and keeps what differs as it did.
func (a *Auditor) again(ctx context.Context, suspects []suspect) ([]suspect, error) {
	var left []suspect
	for _, s := range suspects {
		now, err := a.look(ctx, s.cell)
		if err != nil {
			return nil, err
		}
		for name, difference := range now.buckets {
			if s.buckets[name] != difference {
				delete(now.buckets, name)
			}
		}
		if len(now.buckets) == 0 {
			continue
		}
		if s.total <= maxBuckets || now.total <= maxBuckets {
			now.total = uint64(len(now.buckets))
		}
		left = append(left, now)
	}
	return left, nil
}

const lookPause = time.Second

// settle looks again until nothing is left or the time is over, and sets aside the partitions whose
// owner has left a batch unfinished, and all of them while somebody is being erased.
func (a *Auditor) settle(ctx context.Context, r *Report, suspects []suspect) (left []suspect, err error) {
	if len(suspects) == 0 {
		return nil, nil
	}
	began, err := a.beyond(ctx, suspects)
	if err != nil {
		return nil, err
	}
	for until := a.clock.Now().Add(a.cfg.Settle); len(suspects) > 0; {
		last := !a.clock.Now().Before(until)
		if suspects, err = a.again(ctx, suspects); err != nil {
			return nil, err
		}
		if last {
			break
		}
		if err := worker.Pause(ctx, lookPause); err != nil {
			return nil, err
		}
	}
	ended, err := a.beyond(ctx, suspects)
	if err != nil {
		return nil, err
	}
	erasing, err := a.erasing(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range suspects {
		if erasing {
			r.Pending = insertSorted(r.Pending, s.partition)
			continue
		}
		if now, before := ended[s.partition], began[s.partition]; now.rows > 0 && before.rows > 0 &&
			now.last == before.last {
			r.Pending = insertSorted(r.Pending, s.partition)
			continue
		}
		left = append(left, s)
	}
	return left, nil
}

// tail is what the raw table has beyond the last range.
type tail struct {
	rows uint64
	last int64 // of the last range
}

func (a *Auditor) beyond(ctx context.Context, suspects []suspect) (map[uint16]tail, error) {
	tails := map[uint16]tail{}
	for _, s := range suspects {
		if _, known := tails[s.partition]; known {
			continue
		}
		var rows proto.ColUInt64
		var last proto.ColInt64
		err := a.ask(ctx, "audit_beyond", proto.Results{
			{Name: "beyond", Data: &rows},
			{Name: "last_range", Data: &last},
		}, func() {}, clickhouse.Param("partition", s.partition))
		if err != nil {
			return nil, err
		}
		tails[s.partition] = tail{rows: rows.Row(0), last: last.Row(0)}
	}
	return tails, nil
}

// erasing tells whether somebody is being erased: their rows go first, then their part of the counts.
func (a *Auditor) erasing(ctx context.Context) (bool, error) {
	var n proto.ColUInt64
	err := a.ask(ctx, "audit_erasing", proto.Results{{Name: "n", Data: &n}}, func() {})
	return err == nil && n.Row(0) > 0, err
}
