package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/ch-go"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/counting"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Bulk writes a past straight into the raw table: what a topic before the first epoch would have held.
// Fences, ranges and the epoch are written as a consumer would have, so audits and consumers take it
// for applied; the epoch is number 0, which no configuration can have. An event must not come twice.
type Bulk struct {
	partitions int32
	client     *clickhouse.Client
	text       func(user core.ID) string
	ledgers    []*Partition
	fences     []Fence
	next       []int64 // offset of each partition
	ranged     []int64 // what has a range already ends before it

	states         map[uint64]counting.State // by the hash of their key
	filling, spare *columns
	under          chan error // holds the outcome of the insert under way
}

// ErrBegun is returned where the raw table has a past already.
var ErrBegun = errors.New("events were applied to this database before, or an events consumer has begun: a past can be written only where there is none")

// bulkRows is how many rows one insert brings.
const bulkRows = 500_000

// HasPast returns ErrBegun where the raw table has a past already. It claims nothing.
func HasPast(ctx context.Context, client *clickhouse.Client) error {
	begun, err := (&Ledger{client: client}).Epochs(ctx)
	if err == nil && len(begun) > 0 {
		err = ErrBegun
	}
	return err
}

// NewBulk claims all partitions of a topic, given by its full name. The client's query timeout must suit inserts of
// half a million rows.
func NewBulk(ctx context.Context, topic string, partitions int32, client *clickhouse.Client, clock core.Clock) (*Bulk,
	error,
) {
	b := &Bulk{
		partitions: partitions, client: client,
		next: make([]int64, partitions), ranged: make([]int64, partitions),
		states: map[uint64]counting.State{}, filling: newColumns(), spare: newColumns(), under: make(chan error, 1),
	}
	b.under <- nil
	l := New(client, clock, time.Minute, bulkRows)
	for p := range partitions {
		b.ledgers = append(b.ledgers, l.Partition(0, p, partitions, false))
	}
	if err := HasPast(ctx, client); err != nil {
		return nil, err
	}
	if err := l.BeginEpoch(ctx, Epoch{Topic: topic, Partitions: partitions, Began: clock.Now()}); err != nil {
		return nil, err
	}
	for _, l := range b.ledgers {
		f := Fence{Number: fenceNumber(0, l.partition, 1), Token: NewToken()}
		if err := l.Claim(ctx, f, "bulk"); err != nil {
			return nil, fmt.Errorf("claim fence %s: %w", f, err)
		}
		b.fences = append(b.fences, f)
	}
	return b, nil
}

// NamedBy says who knows the keys of users whose numbers were derived: their events are where those of such keys are.
func (b *Bulk) NamedBy(text func(user core.ID) string) { b.text = text }

// Send takes events; they are in the table after Flush.
func (b *Bulk) Send(ctx context.Context, all []core.Event) error {
	var key []byte
	for i := range all {
		e := &all[i]
		key = strconv.AppendInt(key[:0], int64(e.UserID), 10)
		if e.UserID.Derived() {
			key = append(key[:0], b.text(e.UserID)...)
		}
		p := codec.PartitionOf(key, b.partitions)
		r := Row{Event: codec.FromCore(e), Offset: b.next[p], Effect: 1}
		if e.ReceivedAt.IsZero() { // as if the API had taken it at once
			r.Received = r.Occurred
		}
		b.judge(&r)
		b.filling.append(&r, b.fences[p])
		b.next[p]++
	}
	if b.filling.user.Rows() < bulkRows {
		return nil
	}
	return b.insert(ctx)
}

// judge decides what an event adds, as its partition's owner would: its author is the post's.
func (b *Bulk) judge(r *Row) {
	if counting.KindOf(r.Action, false).Moves() && r.Author == r.User {
		r.Effect, r.Verdict = 0, counting.Own
		return
	}
	if k, ok := counting.KeyOf(&r.Event, false); ok {
		s := b.states[k.Hash()]
		if r.Effect = s.Apply(r.Action, r.At()); r.Effect == 0 {
			r.Verdict = counting.Repeated
		}
		b.states[k.Hash()] = s
	}
}

// insert begins to write what was taken, once the insert before has ended.
func (b *Bulk) insert(ctx context.Context) error {
	if err := <-b.under; err != nil {
		b.under <- nil
		return err
	}
	b.filling, b.spare = b.spare, b.filling
	upTo := append([]int64(nil), b.next...)
	go func(c *columns) { b.under <- b.write(ctx, c, upTo) }(b.spare)
	return nil
}

// write brings the rows, then the ranges that say so.
func (b *Bulk) write(ctx context.Context, c *columns, upTo []int64) error {
	if err := b.client.Write(ctx, clickhouse.Query{
		Name:  "event_bulk",
		Query: ch.Query{Body: c.input().Into("events"), Input: c.input()},
	}); err != nil {
		return err
	}
	c.reset()
	for p, l := range b.ledgers {
		rows := upTo[p] - b.ranged[p]
		if rows == 0 {
			continue
		}
		if err := l.WriteRange(ctx, b.fences[p], OffsetRange{First: b.ranged[p], Last: upTo[p] - 1, Rows: uint64(rows)},
			true); err != nil {
			return err
		}
		b.ranged[p] = upTo[p]
	}
	return nil
}

// Flush returns when all that was sent is in the table.
func (b *Bulk) Flush(ctx context.Context) error {
	if b.filling.user.Rows() > 0 {
		if err := b.insert(ctx); err != nil {
			return err
		}
	}
	err := <-b.under
	b.under <- nil
	return err
}
