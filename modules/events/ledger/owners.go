package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Command is something asked of the owner of a partition.
type Command struct {
	ID                      uuid.UUID
	Kind                    proto.Enum8
	FirstDay, LastDay       int32
	FirstOffset, LastOffset int64 // the last one too
}

// The kinds of commands.
const (
	CommandReconcile  proto.Enum8 = 1
	CommandQuarantine proto.Enum8 = 2
	commandEnum                   = "'reconcile' = 1, 'quarantine' = 2"
)

// Owners has the owners of partitions do what only they may do: a command for each, whose result it waits for. It works
// from any process.
type Owners struct {
	log    codec.Log
	ledger *Ledger
}

// NewOwners makes a client of the owners. timeout is what a statement may take.
func NewOwners(log codec.Log, timeout time.Duration, client *clickhouse.Client, clock core.Clock) *Owners {
	return &Owners{log: log, ledger: &Ledger{client: client, clock: clock, timeout: timeout}}
}

// Partitions is how many partitions there are to ask.
func (r *Owners) Partitions() int { return int(r.log.Partitions) }

// Complete is the first day of which the raw table still has every event: only from there on can a
// view be recounted.
func (r *Owners) Complete() time.Time {
	return r.ledger.clock.Now().UTC().Truncate(24 * time.Hour).Add(24*time.Hour - RawRetention)
}

// Reconcile has the owner of a partition make the views of some days equal to the raw table, and
// returns how many buckets were wrong. It waits for the owner until ctx ends.
func (r *Owners) Reconcile(ctx context.Context, partition int, first, last time.Time) (wrong uint64, err error) {
	if first.Before(r.Complete()) {
		return 0, fmt.Errorf("reconcile from %s: the raw table is complete only from %s on",
			first.Format(time.DateOnly), r.Complete().Format(time.DateOnly))
	}
	day := func(t time.Time) int32 { return DayOf(t.UnixMilli()) }
	return r.command(ctx, partition, Command{Kind: CommandReconcile, FirstDay: day(first), LastDay: day(last)})
}

// Quarantine has the owner of a partition send records that ClickHouse refuses to the dead letters,
// and returns how many it found in the batch that is stuck.
func (r *Owners) Quarantine(ctx context.Context, partition int, first, last int64) (sent uint64, err error) {
	return r.command(ctx, partition, Command{Kind: CommandQuarantine, FirstOffset: first, LastOffset: last})
}

func (r *Owners) command(ctx context.Context, partition int, q Command) (uint64, error) {
	if partition < 0 || partition >= r.Partitions() {
		return 0, fmt.Errorf("partition %d: there are %d", partition, r.Partitions())
	}
	l := r.ledger.Partition(r.log.Epoch, int32(partition), r.log.Partitions, false)
	q.ID = uuid.New()
	if err := l.sendCommand(ctx, q); err != nil {
		return 0, err
	}
	// a rebuild asks for many days at once: looking for answers must not cost more than giving them
	for pause := (worker.Backoff{Least: 50 * time.Millisecond, Most: 2 * time.Second}); ; {
		changed, ok, err := l.result(ctx, q.ID)
		if ok || err != nil && ctx.Err() == nil {
			return changed, err
		}
		if err := pause.Wait(ctx); err != nil {
			return 0, fmt.Errorf("partition %d: its owner has not answered; is an events consumer running? %w",
				partition, err)
		}
	}
}

func (l *Partition) sendCommand(ctx context.Context, q Command) error {
	var id proto.ColUUID
	var kind proto.ColEnum8
	var epoch, partition proto.ColUInt16
	var firstDay, lastDay proto.ColDate
	var first, last proto.ColInt64
	var at proto.ColDateTime64
	id.Append(q.ID)
	kind.Append(q.Kind)
	epoch.Append(l.epoch)
	partition.Append(l.partition)
	firstDay = append(firstDay, proto.Date(q.FirstDay)) // days until 2149
	lastDay = append(lastDay, proto.Date(q.LastDay))    // days until 2149
	first.Append(q.FirstOffset)
	last.Append(q.LastOffset)
	at.WithPrecision(proto.PrecisionMilli)
	at.Append(l.clock.Now())
	input := proto.Input{
		{Name: "id", Data: &id},
		{Name: "kind", Data: proto.Wrap(&kind, commandEnum)},
		{Name: "epoch", Data: &epoch},
		{Name: "kafka_partition", Data: &partition},
		{Name: "first_day", Data: &firstDay},
		{Name: "last_day", Data: &lastDay},
		{Name: "first_offset", Data: &first},
		{Name: "last_offset", Data: &last},
		{Name: "requested_at", Data: &at},
	}
	return l.write(ctx, l.timeout, "request", ch.Query{Body: input.Into("event_requests"), Input: input})
}

// Commands are what is asked of this partition's owner.
func (l *Partition) Commands(ctx context.Context) (all []Command, err error) {
	var id proto.ColUUID
	var kind proto.ColUInt8
	var firstDay, lastDay proto.ColDate
	var first, last proto.ColInt64
	err = l.read(ctx, "requests", ch.Query{
		Parameters: l.params(),
		Result: proto.Results{
			{Name: "id", Data: &id},
			{Name: "what", Data: &kind},
			{Name: "first_day", Data: &firstDay},
			{Name: "last_day", Data: &lastDay},
			{Name: "first_offset", Data: &first},
			{Name: "last_offset", Data: &last},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range id {
				all = append(all, Command{
					ID: id[i], Kind: proto.Enum8(kind[i]), FirstDay: int32(firstDay[i]), LastDay: int32(lastDay[i]),
					FirstOffset: first[i], LastOffset: last[i],
				})
			}
			return nil
		},
	})
	return all, err
}

// Finish writes down the result of a command.
func (l *Partition) Finish(ctx context.Context, id uuid.UUID, changed uint64) error {
	var ids proto.ColUUID
	var epoch, partition proto.ColUInt16
	var n proto.ColUInt64
	var at proto.ColDateTime64
	ids.Append(id)
	epoch.Append(l.epoch)
	partition.Append(l.partition)
	n.Append(changed)
	at.WithPrecision(proto.PrecisionMilli)
	at.Append(l.clock.Now())
	input := proto.Input{
		{Name: "id", Data: &ids},
		{Name: "epoch", Data: &epoch},
		{Name: "kafka_partition", Data: &partition},
		{Name: "changed", Data: &n},
		{Name: "answered_at", Data: &at},
	}
	return l.write(ctx, l.timeout, "answer", ch.Query{Body: input.Into("event_answers"), Input: input})
}

// result is the result of a command, if there is one yet.
func (l *Partition) result(ctx context.Context, id uuid.UUID) (changed uint64, ok bool, err error) {
	var n proto.ColUInt64
	err = l.read(ctx, "answer", ch.Query{
		Parameters: l.params(clickhouse.Param("id", id)), Result: proto.Results{{Name: "changed", Data: &n}},
		OnResult: func(context.Context, proto.Block) error {
			if n.Rows() > 0 {
				changed, ok = n.Row(0), true
			}
			return nil
		},
	})
	return changed, ok, err
}
