package ledger

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/IBM/sarama"
	"github.com/google/uuid"

	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/counting"
)

// Row is an event with its place in the log.
type Row struct {
	codec.Event // its author is that of the post's record, once it is judged
	Effect      int8
	Verdict     counting.Verdict
	Offset      int64
	Present     bool // the raw table has it already, under this offset
	Record      *sarama.ConsumerMessage
}

// Day is the ClickHouse partition of the row, as days since 1970.
func (r *Row) Day() int32 { return DayOf(r.Occurred) }

// Absent is how many rows are still to be inserted.
func Absent(rows []Row) (n int) {
	for i := range rows {
		if !rows[i].Present {
			n++
		}
	}
	return n
}

// DayOf is a time in milliseconds since 1970 as days since 1970.
func DayOf(millis int64) int32 { return int32(millis / millisPerDay) } // from 2020 to 2100

const millisPerDay = 24 * 60 * 60 * 1000

// columns are rows as ClickHouse takes them. They are filled, sent and filled again.
type columns struct {
	partition, epoch           proto.ColUInt16
	user, post, author, offset proto.ColInt64
	id                         proto.ColUUID
	action                     proto.ColEnum8
	occurred, received         proto.ColDateTime64
	dwell                      proto.ColUInt32
	device, appVersion         *proto.ColLowCardinality[string]
	session                    proto.ColStr
	fence, token               proto.ColUInt64
	effect                     proto.ColInt8
	verdict                    proto.ColEnum8
	in                         proto.Input
}

const actionEnum = "'impression' = 1, 'view' = 2, 'click' = 3, 'like' = 4, 'unlike' = 5, 'comment' = 6, 'share' = 7, 'dwell' = 8, 'hide' = 9, 'not_interested' = 10, 'unhide' = 11"

const verdictEnum = "'counted' = 0, 'repeated' = 1, 'own' = 2, 'not_visible' = 3, 'not_served' = 4, 'unresolved' = 5"

func newColumns() *columns {
	c := &columns{
		device:     proto.NewLowCardinality[string](new(proto.ColStr)),
		appVersion: proto.NewLowCardinality[string](new(proto.ColStr)),
	}
	c.occurred.WithPrecision(proto.PrecisionMilli)
	c.received.WithPrecision(proto.PrecisionMilli)
	c.in = proto.Input{
		{Name: "kafka_partition", Data: &c.partition},
		{Name: "user_id", Data: &c.user},
		{Name: "event_id", Data: &c.id},
		{Name: "post_id", Data: &c.post},
		{Name: "author_id", Data: &c.author},
		{Name: "action", Data: proto.Wrap(&c.action, actionEnum)},
		{Name: "occurred_at", Data: &c.occurred},
		{Name: "received_at", Data: &c.received},
		{Name: "dwell_ms", Data: &c.dwell},
		{Name: "device", Data: c.device},
		{Name: "app_version", Data: c.appVersion},
		{Name: "feed_session", Data: &c.session},
		{Name: "epoch", Data: &c.epoch},
		{Name: "kafka_offset", Data: &c.offset},
		{Name: "fence", Data: &c.fence},
		{Name: "token", Data: &c.token},
		{Name: "effect", Data: &c.effect},
		{Name: "verdict", Data: proto.Wrap(&c.verdict, verdictEnum)},
	}
	return c
}

func (c *columns) reset() { c.in.Reset() }

func (c *columns) input() proto.Input { return c.in }

func (c *columns) append(r *Row, f Fence) {
	c.partition.Append(f.partition())
	c.epoch.Append(f.epoch())
	c.user.Append(int64(r.User))
	c.id.Append(uuid.UUID(r.ID))
	c.post.Append(int64(r.Post))
	c.author.Append(int64(r.Author))
	c.action.Append(proto.Enum8(r.Action))
	c.occurred.AppendRaw(proto.DateTime64(r.Occurred))
	c.received.AppendRaw(proto.DateTime64(r.Received))
	c.dwell.Append(r.Dwell)
	c.device.Append(r.Device)
	c.appVersion.Append(r.AppVersion)
	c.session.Append(r.Session)
	c.offset.Append(r.Offset)
	c.fence.Append(f.Number)
	c.token.Append(f.Token)
	c.effect.Append(r.Effect)
	c.verdict.Append(proto.Enum8(r.Verdict))
}

// Insert writes those rows that are not present, in one block: a part for each day. Under alone it goes with nobody
// else's.
func (l *Partition) Insert(ctx context.Context, f Fence, rows []Row, alone bool) error {
	return l.unlessFenced(ctx, f, l.writer.rows.insert(ctx, f, Absent(rows), alone, func(c *columns) {
		for i := range rows {
			if !rows[i].Present {
				c.append(&rows[i], f)
			}
		}
	}))
}

// RawRetention is how long the raw table keeps an event after it occurred: the TTL in
// sql/clickhouse/migrations/0001_events.sql.
const RawRetention = 30 * 24 * time.Hour
