package events

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/ch-go"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Bulk writes a past straight into the raw table: what a topic before the first epoch would have held.
// Fences, ranges and the epoch are written as a consumer would have, so audits and consumers take it
// for applied; the epoch is number 0, which no configuration can have. An event must not come twice.
type Bulk struct {
	partitions int32
	client     *clickhouse.Client
	ledgers    []*partitionLedger
	fences     []fence
	next       []int64 // offset of each partition
	ranged     []int64 // what has a range already ends before it

	states         map[uint64]state // by the hash of their key
	filling, spare *columns
	under          chan error // holds the outcome of the insert under way
}

// ErrBegun is returned where the raw table has a past already.
var ErrBegun = errors.New("events were applied to this database before, or an events consumer has begun: a past can be written only where there is none")

// bulkRows is how many rows one insert brings.
const bulkRows = 500_000

// HasPast returns ErrBegun where the raw table has a past already. It claims nothing.
func HasPast(ctx context.Context, client *clickhouse.Client) error {
	begun, err := (&ledger{client: client}).epochs(ctx)
	if err == nil && len(begun) > 0 {
		err = ErrBegun
	}
	return err
}

// NewBulk claims all partitions of a topic, given by its full name. The client's query timeout must suit inserts of half
// a million rows.
func NewBulk(ctx context.Context, topic string, partitions int32, client *clickhouse.Client, clock core.Clock) (*Bulk, error) {
	b := &Bulk{
		partitions: partitions, client: client,
		next: make([]int64, partitions), ranged: make([]int64, partitions),
		states: map[uint64]state{}, filling: newColumns(), spare: newColumns(), under: make(chan error, 1),
	}
	b.under <- nil
	l := newLedger(client, clock, time.Minute, bulkRows)
	for p := range partitions {
		b.ledgers = append(b.ledgers, l.of(0, p, partitions, false))
	}
	if err := HasPast(ctx, client); err != nil {
		return nil, err
	}
	if err := l.beginEpoch(ctx, epoch{topic: topic, partitions: partitions, began: clock.Now()}); err != nil {
		return nil, err
	}
	for _, l := range b.ledgers {
		f := fence{number: NewFence(0, l.partition, 1), token: newToken()}
		if err := l.claim(ctx, f, "bulk"); err != nil {
			return nil, fmt.Errorf("claim fence %s: %w", f, err)
		}
		b.fences = append(b.fences, f)
	}
	return b, nil
}

// Send takes events; they are in the table after Flush.
func (b *Bulk) Send(ctx context.Context, all []core.Event) error {
	var key []byte
	for i := range all {
		e := &all[i]
		key = strconv.AppendInt(key[:0], int64(e.UserID), 10)
		p := partitionOf(key, b.partitions)
		r := row{event: fromCore(e), offset: b.next[p], effect: 1}
		if e.ReceivedAt.IsZero() { // as if the API had taken it at once
			r.received = r.occurred
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
func (b *Bulk) judge(r *row) {
	if reactionOf(r.action, false).moves() && r.author == r.user {
		r.effect, r.verdict = 0, verdictOwn
		return
	}
	if k, ok := keyOf(&r.event, false); ok {
		s := b.states[k.hash()]
		if r.effect = s.apply(r.action, r.at()); r.effect == 0 {
			r.verdict = verdictRepeated
		}
		b.states[k.hash()] = s
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
	if err := b.client.Write(ctx, clickhouse.Query{Name: "event_bulk", Query: ch.Query{Body: c.input().Into("events"), Input: c.input()}}); err != nil {
		return err
	}
	c.reset()
	for p, l := range b.ledgers {
		rows := upTo[p] - b.ranged[p]
		if rows == 0 {
			continue
		}
		if err := l.applied(ctx, b.fences[p], extent{first: b.ranged[p], last: upTo[p] - 1, rows: uint64(rows)}, true); err != nil { //nolint:gosec // positive
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
