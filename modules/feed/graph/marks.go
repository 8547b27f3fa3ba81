package graph

import (
	"context"
	"slices"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// maxMarks bounds the posts that are found again.
const maxMarks = 4000

// Where is on which days, and in which partitions of Kafka, a viewer's raw events are that Marks looks for.
type Where struct {
	days       []time.Time
	partitions []uint16
}

// add takes over that the viewer did something on a day, through a partition of Kafka. Where nothing is counted as
// hidden on a day, a hide and one that was taken back may be: so all days count.
func (w *Where) add(day time.Time, partition uint16, d window) {
	if !day.After(d.hidden) {
		return
	}
	if !slices.Contains(w.partitions, partition) {
		w.partitions = append(w.partitions, partition)
	}
	if !slices.Contains(w.days, day) {
		w.days = append(w.days, day)
	}
}

// window is which days count for what.
type window struct {
	first     time.Time // the first that counts for affinity
	hidden    time.Time // the last on which it does not matter any more what was hidden
	yesterday time.Time
}

func windowAt(now time.Time) window {
	today := now.UTC().Truncate(24 * time.Hour)
	return window{
		first: today.AddDate(0, 0, -affinityDays), hidden: today.AddDate(0, 0, -HideDays),
		yesterday: today.AddDate(0, 0, -1),
	}
}

// Marks are the posts that the viewer hid in the last HideDays days and saw since a time, each as
// often as they said so, as the raw events have them; the latest come last. Where is of their interactions.
func (c *ClickHouse) Marks(ctx context.Context, viewer core.ID, where Where, since time.Time) (hidden,
	seen []store.Mark, err error,
) {
	if len(where.partitions) == 0 { // the interactions were not read row by row
		if where, err = c.where(ctx, viewer); err != nil {
			return nil, nil, err
		}
	}
	if len(where.days) == 0 {
		return nil, nil, nil
	}
	var (
		post     proto.ColInt64
		back     proto.ColUInt8
		hides    proto.ColUInt8
		received proto.ColDateTime64
	)
	err = c.client.Read(ctx, clickhouse.Query{Name: "feed_viewer_marks", Query: ch.Query{
		Body: sql.ClickHouse("feed_viewer_marks"),
		Parameters: clickhouse.Params(map[string]any{
			"viewer": int64(viewer), "days": where.dayList(), "partitions": where.partitions,
			"since": since.UnixMilli(), "limit": maxMarks,
		}),
		Settings: clickhouse.PointRead,
		Result: proto.Results{
			{Name: "post_id", Data: &post},
			{Name: "back", Data: &back},
			{Name: "hides", Data: &hides},
			{Name: "at", Data: &received},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range post.Rows() {
				mark := store.Mark{User: viewer, Post: core.ID(post.Row(i)), At: received.Row(i)}
				if back.Row(i) != 0 {
					mark.At = marks.Undo(mark.At)
				}
				if hides.Row(i) != 0 {
					hidden = append(hidden, mark)
				} else {
					seen = append(seen, mark)
				}
			}
			return nil
		},
	}})
	slices.Reverse(hidden)
	slices.Reverse(seen)
	return hidden, seen, err
}

func (c *ClickHouse) where(ctx context.Context, viewer core.ID) (where Where, err error) {
	var (
		day       proto.ColDate
		partition proto.ColUInt16
	)
	within := windowAt(c.clock.Now())
	err = c.client.Read(ctx, clickhouse.Query{Name: "feed_viewer_where", Query: ch.Query{
		Body:       sql.ClickHouse("feed_viewer_where"),
		Parameters: clickhouse.Params(map[string]any{"viewer": int64(viewer), "days": HideDays}),
		Settings:   clickhouse.PointRead,
		Result:     proto.Results{{Name: "day", Data: &day}, {Name: "kafka_partition", Data: &partition}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range day.Rows() {
				where.add(day.Row(i), partition.Row(i), within)
			}
			return nil
		},
	}})
	return where, err
}

// dayList names the partitions of the table.
func (w *Where) dayList() []string {
	names := make([]string, len(w.days))
	for i, day := range w.days {
		names[i] = day.Format("20060102")
	}
	return names
}
