package events

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// request is something asked of the owner of a partition.
type request struct {
	id                  uuid.UUID
	kind                proto.Enum8
	firstDay, lastDay   int32
	firstOffset, offset int64 // the last one too
}

const (
	kindReconcile  proto.Enum8 = 1
	kindQuarantine proto.Enum8 = 2
	requestEnum                = "'reconcile' = 1, 'quarantine' = 2"
)

// Requests asks the owners of partitions to do what only they may do. It works from any process.
type Requests struct {
	log    Log
	ledger *ledger
}

// NewRequests makes a client of the owners.
func NewRequests(log Log, timeout time.Duration, client *clickhouse.Client, clock core.Clock) *Requests {
	return &Requests{log: log, ledger: &ledger{client: client, clock: clock, timeout: timeout}}
}

// Partitions is how many partitions there are to ask.
func (r *Requests) Partitions() int { return int(r.log.Partitions) }

// Complete is the first day of which the raw table still has every event: only from there on can a
// view be recounted.
func (r *Requests) Complete() time.Time {
	return r.ledger.clock.Now().UTC().Truncate(24 * time.Hour).Add(24*time.Hour - rawRetention)
}

// Reconcile has the owner of a partition make the views of some days equal to the raw table, and
// returns how many buckets were wrong. It waits for the owner until ctx ends.
func (r *Requests) Reconcile(ctx context.Context, partition int, first, last time.Time) (wrong uint64, err error) {
	if first.Before(r.Complete()) {
		return 0, fmt.Errorf("reconcile from %s: the raw table is complete only from %s on", first.Format(time.DateOnly), r.Complete().Format(time.DateOnly))
	}
	day := func(t time.Time) int32 { return dayOf(t.UnixMilli()) }
	return r.ask(ctx, partition, request{kind: kindReconcile, firstDay: day(first), lastDay: day(last)})
}

// Quarantine has the owner of a partition send records that ClickHouse refuses to the dead letters,
// and returns how many it found in the batch that is stuck.
func (r *Requests) Quarantine(ctx context.Context, partition int, first, last int64) (sent uint64, err error) {
	return r.ask(ctx, partition, request{kind: kindQuarantine, firstOffset: first, offset: last})
}

func (r *Requests) ask(ctx context.Context, partition int, q request) (uint64, error) {
	if partition < 0 || partition >= r.Partitions() {
		return 0, fmt.Errorf("partition %d: there are %d", partition, r.Partitions())
	}
	l := r.ledger.of(r.log.Epoch, int32(partition), r.log.Partitions, false) //nolint:gosec // checked
	q.id = uuid.New()
	if err := l.request(ctx, q); err != nil {
		return 0, err
	}
	for pause := (worker.Backoff{Least: 50 * time.Millisecond, Most: 2 * time.Second}); ; { // a rebuild asks for many days at once: looking for answers must not cost more than giving them
		changed, ok, err := l.answer(ctx, q.id)
		if ok || err != nil && ctx.Err() == nil {
			return changed, err
		}
		if err := pause.Wait(ctx); err != nil {
			return 0, fmt.Errorf("partition %d: its owner has not answered; is an events consumer running? %w", partition, err)
		}
	}
}

func (l *partitionLedger) request(ctx context.Context, q request) error {
	var id proto.ColUUID
	var kind proto.ColEnum8
	var epoch, partition proto.ColUInt16
	var firstDay, lastDay proto.ColDate
	var first, last proto.ColInt64
	var at proto.ColDateTime64
	id.Append(q.id)
	kind.Append(q.kind)
	epoch.Append(l.epoch)
	partition.Append(l.partition)
	firstDay = append(firstDay, proto.Date(q.firstDay)) //nolint:gosec // days until 2149
	lastDay = append(lastDay, proto.Date(q.lastDay))    //nolint:gosec // days until 2149
	first.Append(q.firstOffset)
	last.Append(q.offset)
	at.WithPrecision(proto.PrecisionMilli)
	at.Append(l.clock.Now())
	input := proto.Input{
		{Name: "id", Data: &id},
		{Name: "kind", Data: proto.Wrap(&kind, requestEnum)},
		{Name: "epoch", Data: &epoch},
		{Name: "kafka_partition", Data: &partition},
		{Name: "first_day", Data: &firstDay},
		{Name: "last_day", Data: &lastDay},
		{Name: "first_offset", Data: &first},
		{Name: "last_offset", Data: &last},
		{Name: "requested_at", Data: &at},
	}
	return l.write(ctx, "request", ch.Query{Body: input.Into("event_requests"), Input: input})
}

// requests are what is asked of this partition's owner.
func (l *partitionLedger) requests(ctx context.Context) (all []request, err error) {
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
				all = append(all, request{
					id: id[i], kind: proto.Enum8(kind[i]), firstDay: int32(firstDay[i]), lastDay: int32(lastDay[i]), //nolint:gosec // 1 or 2
					firstOffset: first[i], offset: last[i],
				})
			}
			return nil
		},
	})
	return all, err
}

// answered writes down what was done about a request.
func (l *partitionLedger) answered(ctx context.Context, id uuid.UUID, changed uint64) error {
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
	return l.write(ctx, "answer", ch.Query{Body: input.Into("event_answers"), Input: input})
}

// answer is the answer to a request, if there is one yet.
func (l *partitionLedger) answer(ctx context.Context, id uuid.UUID) (changed uint64, ok bool, err error) {
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
