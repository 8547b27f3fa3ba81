package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/counting"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// Ledger is ClickHouse as the partitions of one process share it.
type Ledger struct {
	client  *clickhouse.Client
	clock   core.Clock
	timeout time.Duration // for one statement
	writer  *writer
}

// New makes one. timeout is what a statement may take, mostRows what one may insert.
func New(client *clickhouse.Client, clock core.Clock, timeout time.Duration, mostRows int) *Ledger {
	return &Ledger{client: client, clock: clock, timeout: timeout, writer: newWriter(client, clock, mostRows, timeout)}
}

// Rest is how long the writer rests yet; not positive while it does not.
func (l *Ledger) Rest() time.Duration { return l.writer.rows.rest.Left() }

// Partition is one partition of an epoch whose topic has so many. regrouped tells that the raw table may hold events of
// an epoch with another number of partitions.
func (l *Ledger) Partition(epoch uint16, id, partitions int32, regrouped bool) *Partition {
	return &Partition{
		Ledger: l, epoch: epoch, partition: uint16(id), //nolint:gosec // validated: at most 1024
		partitions: partitions, regrouped: regrouped,
	}
}

// Partition is what ClickHouse knows of one Kafka partition: who may write it, what of it is applied,
// and which events it holds.
type Partition struct {
	*Ledger
	epoch      uint16
	partition  uint16
	partitions int32 // of the topic
	regrouped  bool  // the raw table may hold events of an epoch with another number of partitions
}

// ErrFenced is returned when somebody else has taken the partition.
var ErrFenced = errors.New("another consumer has taken the partition")

// Statements that write are tagged with the fences they write under, so that whoever takes one of the
// partitions finds them in system.processes.

func tagPrefix(database string) string { return "feedrank events " + database + ":" }

func tag(database string, fences ...Fence) string {
	text := tagPrefix(database)
	for _, f := range fences {
		text += " " + f.String()
	}
	return text
}

// commentTag is what stands in the tags of this partition's statements.
func (l *Partition) commentTag() string { return fmt.Sprintf(" %d/%d#", l.epoch, l.partition) }

// writing are the settings of a statement that writes under fences. The server ends it by itself when
// it takes too long, or when we are frozen in the middle of sending it.
func writing(database string, timeout time.Duration, fences ...Fence) []ch.Setting {
	seconds := strconv.Itoa(int(max(timeout, time.Second).Seconds()))
	return append([]ch.Setting{
		{Key: "log_comment", Value: tag(database, fences...), Important: true},
		{Key: "max_execution_time", Value: seconds, Important: true},
		{Key: "receive_timeout", Value: seconds, Important: true},
	}, clickhouse.Background...)
}

func (l *Partition) params(more ...clickhouse.Parameter) []clickhouse.Parameter {
	return append(more, clickhouse.Param("epoch", l.epoch), clickhouse.Param("partition", l.partition))
}

// grouping are the parameters of queries for the events whose copies come to this partition.
func (l *Partition) grouping(more ...clickhouse.Parameter) []clickhouse.Parameter {
	return l.params(append(more, clickhouse.Param("partitions", l.partitions),
		clickhouse.Param("regrouped", l.regrouped))...)
}

func (l *Ledger) read(ctx context.Context, name string, q ch.Query) error {
	q.Body = sql.ClickHouse("event_" + name)
	return l.client.Read(ctx, clickhouse.Query{Name: "event_" + name, Query: q})
}

func (l *Ledger) write(ctx context.Context, timeout time.Duration, name string, q ch.Query) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return l.client.Write(ctx, clickhouse.Query{Name: "event_" + name, Query: q})
}

// writeUnder writes rows under a fence, in a time of its own.
func (l *Partition) writeUnder(ctx context.Context, f Fence, timeout time.Duration, name string, q ch.Query) error {
	q.Settings = writing(l.client.Database(), timeout, f)
	return l.unlessFenced(ctx, f, l.write(ctx, timeout, name, q))
}

// unlessFenced tells a refusal by the fence from others: the constraint that refused may have been that
// of a partition whose rows went along.
func (l *Partition) unlessFenced(ctx context.Context, f Fence, err error) error {
	if !clickhouse.IsFenced(err) {
		return err
	}
	if held := l.Holds(ctx, f); held != nil {
		return fmt.Errorf("%w: %w", held, err)
	}
	return err
}

// newest is the number of the newest fence; zero if none was ever taken.
func (l *Partition) newest(ctx context.Context) (uint64, error) {
	var found proto.ColUInt64
	first := fenceNumber(l.epoch, l.partition, 0)
	err := l.read(ctx, "fence", ch.Query{
		Parameters: []clickhouse.Parameter{
			clickhouse.Param("first", first),
			clickhouse.Param("last", first|0xffffffff),
		},
		Result: proto.Results{{Name: "newest", Data: &found}},
	})
	if err != nil || found.Rows() == 0 {
		return 0, err
	}
	return found.Row(0), nil
}

// NextFence is the number of the fence that is still to be taken.
func (l *Partition) NextFence(ctx context.Context) (uint64, error) {
	newest, err := l.newest(ctx)
	if err != nil {
		return 0, err
	}
	if newest == 0 {
		newest = fenceNumber(l.epoch, l.partition, 0)
	}
	return newest + 1, nil
}

// Claim takes a fence. It fails with ErrFenced if somebody was faster.
func (l *Partition) Claim(ctx context.Context, f Fence, owner string) error {
	var number, token proto.ColUInt64
	var name proto.ColStr
	var at proto.ColDateTime64
	number.Append(f.Number)
	token.Append(f.Token)
	name.Append(owner)
	at.WithPrecision(proto.PrecisionMilli)
	at.Append(l.clock.Now())
	err := l.writeUnder(ctx, f, l.timeout, "claim", ch.Query{
		Body: "INSERT INTO partition_owners (fence, token, owner, claimed_at) VALUES",
		Input: proto.Input{
			{Name: "fence", Data: &number},
			{Name: "token", Data: &token},
			{Name: "owner", Data: &name},
			{Name: "claimed_at", Data: &at},
		},
	})
	if err != nil {
		return err
	}
	return l.Holds(ctx, f)
}

// Holds returns ErrFenced unless f is the newest fence, and ours.
func (l *Partition) Holds(ctx context.Context, f Fence) error {
	var token, next proto.ColUInt64
	err := l.read(ctx, "fence_holder", ch.Query{
		Parameters: []clickhouse.Parameter{clickhouse.Param("fence", f.Number)},
		Result:     proto.Results{{Name: "token", Data: &token}, {Name: "next", Data: &next}},
	})
	if err != nil {
		return err
	}
	if token.Row(0) != f.Token || next.Row(0) != 0 {
		return ErrFenced
	}
	return nil
}

// Running are the statements that write this partition now, by id, with their age.
func (l *Partition) Running(ctx context.Context) (map[string]time.Duration, error) {
	var id proto.ColStr
	var elapsed proto.ColFloat64
	running := map[string]time.Duration{}
	err := l.read(ctx, "running", ch.Query{
		Parameters: []clickhouse.Parameter{
			clickhouse.Param("prefix", tagPrefix(l.client.Database())),
			clickhouse.Param("mark", l.commentTag()),
		},
		Result: proto.Results{{Name: "query_id", Data: &id}, {Name: "elapsed", Data: &elapsed}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range id.Rows() {
				running[id.Row(i)] = time.Duration(elapsed.Row(i) * float64(time.Second))
			}
			return nil
		},
	})
	return running, err
}

// Kill ends a statement.
func (l *Partition) Kill(ctx context.Context, id string) error {
	var ignored proto.Results
	return l.read(ctx, "kill", ch.Query{
		Parameters: []clickhouse.Parameter{clickhouse.Param("id", id)},
		Result:     ignored.Auto(),
	})
}

// Position is the last offset applied; ok is false if there is no range yet.
func (l *Partition) Position(ctx context.Context) (last int64, ok bool, err error) {
	var found proto.ColInt64
	err = l.read(ctx, "position", ch.Query{
		Parameters: l.params(), Result: proto.Results{{Name: "last_offset", Data: &found}},
		OnResult: func(context.Context, proto.Block) error {
			if found.Rows() > 0 {
				last, ok = found.Row(0), true
			}
			return nil
		},
	})
	return last, ok, err
}

// Present are the offsets beyond after that the raw table has.
func (l *Partition) Present(ctx context.Context, after int64) (Offsets, error) {
	var found, author proto.ColInt64
	var effect proto.ColInt8
	var why proto.ColUInt8
	var all Offsets
	err := l.read(ctx, "present", ch.Query{
		Parameters: l.params(clickhouse.Param("after", after)),
		Result: proto.Results{
			{Name: "kafka_offset", Data: &found},
			{Name: "effect", Data: &effect},
			{Name: "why", Data: &why},
			{Name: "author_id", Data: &author},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i, offset := range found {
				all.add(offset, counting.Decision{
					Effect: effect[i], Verdict: counting.Verdict(why[i]),
					Author: core.ID(author[i]),
				})
			}
			return nil
		},
	})
	return all, err
}

// Offsets is a set of offsets, with what was decided of each; nil is empty.
type Offsets map[int64]counting.Decision

func (o *Offsets) add(offset int64, s counting.Decision) {
	if *o == nil {
		*o = Offsets{}
	}
	(*o)[offset] = s
}

// Has tells whether an offset is in the set.
func (o Offsets) Has(offset int64) bool {
	if len(o) == 0 {
		return false
	}
	_, found := o[offset]
	return found
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

// WriteRange writes the range row.
func (l *Partition) WriteRange(ctx context.Context, f Fence, e OffsetRange, alone bool) error {
	fill := func(c *rangeColumns) { c.append(e, f, l.clock.Now()) }
	return l.unlessFenced(ctx, f, l.writer.ranges.insert(ctx, f, 1, alone, fill))
}

// RawRetention is how long the raw table keeps an event after it occurred: the TTL in
// sql/clickhouse/migrations/0001_events.sql.
const RawRetention = 30 * 24 * time.Hour
