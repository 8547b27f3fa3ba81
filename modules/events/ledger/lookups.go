package ledger

import (
	"context"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/counting"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Duplicates finds which of these events the raw table has on some days, and under which offset; -1 stands for one of
// an earlier epoch.
func (l *Partition) Duplicates(ctx context.Context, ids []codec.Identity, on Days,
	found map[codec.Identity]int64,
) error {
	var user, offset proto.ColInt64
	var id proto.ColUUID
	var epoch proto.ColUInt16
	return l.read(ctx, "copies", ch.Query{
		ExternalTable: "asked", ExternalData: asked(ids),
		Parameters: l.grouping(on.parameter("days")),
		Result: proto.Results{
			{Name: "user_id", Data: &user},
			{Name: "event_id", Data: &id},
			{Name: "epoch", Data: &epoch},
			{Name: "kafka_offset", Data: &offset},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range user.Rows() {
				at := offset.Row(i)
				if epoch.Row(i) != l.epoch {
					at = -1
				}
				found[codec.Identity{User: core.ID(user.Row(i)), ID: core.EventID(id.Row(i))}] = at
			}
			return nil
		},
	})
}

// DaySizes tells how many events the partition has of each day.
func (l *Partition) DaySizes(ctx context.Context, each func(day int32, events int)) error {
	var day proto.ColDate
	var events proto.ColUInt64
	return l.read(ctx, "days", ch.Query{
		Parameters: l.grouping(),
		Result:     proto.Results{{Name: "day", Data: &day}, {Name: "events", Data: &events}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range day {
				each(int32(day[i]), int(events.Row(i)))
			}
			return nil
		},
	})
}

// IDs tells the hashes of every event of the partition that occurred on a day, many at a time.
func (l *Partition) IDs(ctx context.Context, day int32, each func(hashes []uint64)) error {
	var user proto.ColInt64
	var id proto.ColUUID
	var hashes []uint64
	return l.read(ctx, "ids", ch.Query{
		Parameters: l.grouping(clickhouse.Param("day", dateText(day))),
		Settings:   clickhouse.Background,
		Result:     proto.Results{{Name: "user_id", Data: &user}, {Name: "event_id", Data: &id}},
		OnResult: func(context.Context, proto.Block) error {
			hashes = hashes[:0]
			for i := range user {
				hashes = append(hashes, codec.Identity{User: core.ID(user[i]), ID: core.EventID(id[i])}.Hash())
			}
			each(hashes)
			return nil
		},
	})
}

// States finds the states of some users and posts as they were before an offset.
func (l *Partition) States(ctx context.Context, keys []counting.Key, on Days, before int64,
	found map[counting.Key]counting.State,
) error {
	var user, post, value, latest proto.ColInt64
	var kind proto.ColUInt8
	var session proto.ColStr
	users, posts := make(proto.ColInt64, len(keys)), make(proto.ColInt64, len(keys))
	for i, k := range keys {
		users[i], posts[i] = int64(k.User), int64(k.Post)
	}
	return l.read(ctx, "states", ch.Query{
		ExternalTable: "asked",
		ExternalData:  proto.Input{{Name: "user_id", Data: &users}, {Name: "post_id", Data: &posts}},
		Parameters:    l.grouping(on.parameter("days"), clickhouse.Param("before", before)),
		Result: proto.Results{
			{Name: "user_id", Data: &user},
			{Name: "post_id", Data: &post},
			{Name: "kind", Data: &kind},
			{Name: "session", Data: &session},
			{Name: "value", Data: &value},
			{Name: "latest", Data: &latest},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range user.Rows() {
				k := counting.NewKey(core.ID(user.Row(i)), core.ID(post.Row(i)), counting.Kind(kind.Row(i)),
					session.Row(i))
				found[k] = counting.State{On: value.Row(i) > 0, Latest: latest.Row(i)}
			}
			return nil
		},
	})
}

// StateKeys tells the hashes of the keys of a day's reactions, many at a time.
func (l *Partition) StateKeys(ctx context.Context, day int32, served bool, each func(hashes []uint64)) error {
	var user, post proto.ColInt64
	var what proto.ColUInt8
	var session proto.ColStr
	var hashes []uint64
	return l.read(ctx, "reactions", ch.Query{
		Parameters: l.grouping(clickhouse.Param("day", dateText(day)), clickhouse.Param("served", served)),
		Settings:   clickhouse.Background,
		Result: proto.Results{
			{Name: "user_id", Data: &user},
			{Name: "post_id", Data: &post},
			{Name: "what", Data: &what},
			{Name: "session", Data: &session},
		},
		OnResult: func(context.Context, proto.Block) error {
			hashes = hashes[:0]
			for i := range user {
				k := counting.NewKey(core.ID(user[i]), core.ID(post[i]), counting.KindOf(core.Action(what[i]), served),
					session.Row(i))
				hashes = append(hashes, k.Hash())
			}
			each(hashes)
			return nil
		},
	})
}
