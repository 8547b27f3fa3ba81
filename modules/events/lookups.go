package events

import (
	"context"
	"strconv"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// duplicates finds which of these events the raw table has on some days, and under which offset; -1 stands for one of
// an earlier epoch.
func (l *partitionLedger) duplicates(ctx context.Context, ids []identity, on days, found map[identity]int64) error {
	var user, offset proto.ColInt64
	var id proto.ColUUID
	var epoch proto.ColUInt16
	return l.read(ctx, "copies", ch.Query{
		Parameters: l.grouping(idsParameter("ids", ids), on.parameter("days")),
		Result: proto.Results{
			{Name: "user_id", Data: &user}, {Name: "event_id", Data: &id}, {Name: "epoch", Data: &epoch}, {Name: "kafka_offset", Data: &offset},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range user.Rows() {
				at := offset.Row(i)
				if epoch.Row(i) != l.epoch {
					at = -1
				}
				found[identity{core.ID(user.Row(i)), core.EventID(id.Row(i))}] = at
			}
			return nil
		},
	})
}

// daySizes tells how many events the partition has of each day.
func (l *partitionLedger) daySizes(ctx context.Context, each func(day int32, events int)) error {
	var day proto.ColDate
	var events proto.ColUInt64
	return l.read(ctx, "days", ch.Query{
		Parameters: l.grouping(),
		Result:     proto.Results{{Name: "day", Data: &day}, {Name: "events", Data: &events}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range day {
				each(int32(day[i]), int(events.Row(i))) //nolint:gosec // no table has more rows
			}
			return nil
		},
	})
}

// ids tells the hashes of every event of the partition that occurred on a day, many at a time.
func (l *partitionLedger) ids(ctx context.Context, day int32, each func(hashes []uint64)) error {
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
				hashes = append(hashes, identity{core.ID(user[i]), core.EventID(id[i])}.hash())
			}
			each(hashes)
			return nil
		},
	})
}

// states finds the states of some users and posts as they were before an offset.
func (l *partitionLedger) states(ctx context.Context, keys []stateKey, on days, before int64, found map[stateKey]state) error {
	var user, post, value, latest proto.ColInt64
	var kind proto.ColUInt8
	var session proto.ColStr
	users := make([]core.ID, len(keys))
	pairs := []byte{'['}
	for i, k := range keys {
		users[i] = k.user
		if i > 0 {
			pairs = append(pairs, ',')
		}
		pairs = strconv.AppendInt(append(pairs, '('), int64(k.user), 10)
		pairs = append(strconv.AppendInt(append(pairs, ','), int64(k.post), 10), ')')
	}
	return l.read(ctx, "states", ch.Query{
		Parameters: l.grouping(clickhouse.Param("users", users), clickhouse.Param("pairs", clickhouse.Literal(append(pairs, ']'))),
			on.parameter("days"), clickhouse.Param("before", before)),
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
				k := newKey(core.ID(user.Row(i)), core.ID(post.Row(i)), reaction(kind.Row(i)), session.Row(i))
				found[k] = state{on: value.Row(i) > 0, latest: latest.Row(i)}
			}
			return nil
		},
	})
}

// stateKeys tells the hashes of the keys of a day's reactions, many at a time.
func (l *partitionLedger) stateKeys(ctx context.Context, day int32, served bool, each func(hashes []uint64)) error {
	var user, post proto.ColInt64
	var what proto.ColUInt8
	var session proto.ColStr
	var hashes []uint64
	return l.read(ctx, "reactions", ch.Query{
		Parameters: l.grouping(clickhouse.Param("day", dateText(day)), clickhouse.Param("served", served)),
		Settings:   clickhouse.Background,
		Result: proto.Results{
			{Name: "user_id", Data: &user}, {Name: "post_id", Data: &post}, {Name: "what", Data: &what}, {Name: "session", Data: &session},
		},
		OnResult: func(context.Context, proto.Block) error {
			hashes = hashes[:0]
			for i := range user {
				k := newKey(core.ID(user[i]), core.ID(post[i]), reactionOf(core.Action(what[i]), served), session.Row(i))
				hashes = append(hashes, k.hash())
			}
			each(hashes)
			return nil
		},
	})
}
