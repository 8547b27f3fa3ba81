package partition

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// collect fills the batch and says what sealed it.
func (p *Worker) collect(ctx context.Context) (reason string, err error) {
	b := &p.batch
	b.reset(p.next)
	due := p.due()
	age := time.NewTimer(0)
	age.Stop()
	defer age.Stop()
	nothing := time.NewTimer(p.nextPoll.Sub(p.Clock.Now()))
	defer nothing.Stop()
	for {
		m, open := p.Queue.Pop()
		switch {
		case m != nil:
			first := b.empty()
			b.add(m, p.reader, p.Config.Epoch)
			if first && !b.empty() {
				b.opened = p.Clock.Now()
				age.Reset(p.Config.Batch.MaxAge) // what comes while we read may not hold it up
			}
			if b.records >= p.Config.Batch.MaxRows {
				return "rows", nil
			}
			if b.bytes >= p.Config.Batch.MaxBytes {
				return "bytes", nil
			}
			if b.records&255 != 0 { // look at the clock now and then
				continue
			}
			select {
			case <-age.C:
				return "age", nil
			default:
			}
		case !open:
			return "", ErrSessionEnded
		default:
			if !b.empty() {
				left := max(due.Sub(p.Clock.Now()), p.Ledger.Rest())
				if left <= 0 {
					return "age", nil
				}
				age.Reset(left)
			}
			select {
			case <-p.Queue.Ready():
				if b.empty() {
					due = p.due()
				}
			case <-age.C: // unless others have written meanwhile
			case <-nothing.C:
				if b.empty() {
					return idle, nil
				}
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
	}
}

// due is when the batch that begins with the oldest record waiting is old enough: at the next multiple
// of the greatest age after the record came. So the batches of all partitions are due at the same time,
// and go in one statement; and all wait while the writer rests after one.
func (p *Worker) due() time.Time {
	return p.Queue.WaitingSince().Truncate(p.Config.Batch.MaxAge).Add(p.Config.Batch.MaxAge)
}

// idle is what collect says when nothing came for a while.
const idle = "idle"

// ErrSessionEnded is why a partition stops that goes to another member of the group.
var ErrSessionEnded = errors.New("the session has ended")

// batch is a run of offsets on its way into ClickHouse. Its memory is used again.
type batch struct {
	first, next int64 // it covers first to next-1
	rows        []ledger.Row
	keys        []core.Key // of new rows, while they are admitted
	deadLetters []kafka.DeadLetter
	duplicates  uint64
	missing     uint64
	erased      uint64 // records that name somebody who is erased
	bytes       int64  // held in memory, about
	payload     int64  // of keys and values
	records     int
	opened      time.Time // when its first record was taken from the queue
	oldest      time.Time // Kafka timestamps of the first and the last record
	newest      time.Time
}

// reset begins a batch at an offset.
func (b *batch) reset(first int64) {
	clear(b.rows) // the strings hold on to their records
	clear(b.keys)
	clear(b.deadLetters)
	*b = batch{first: first, next: first, rows: b.rows[:0], keys: b.keys[:0], deadLetters: b.deadLetters[:0]}
}

func (b *batch) empty() bool { return b.records == 0 }

// add reads a record into the batch. Offsets below the batch are applied already.
func (b *batch) add(m *sarama.ConsumerMessage, reader *codec.Decoder, epoch uint16) {
	if m.Offset < b.next {
		return
	}
	b.missing += uint64(m.Offset - b.next)
	b.next = m.Offset + 1
	b.bytes += kafka.Weight(m)
	b.payload += payload(m)
	if b.records == 0 {
		b.oldest = m.Timestamp
	}
	b.newest = m.Timestamp
	b.records++
	b.rows = append(b.rows, ledger.Row{Offset: m.Offset, Record: m})
	reason, detail := reader.Decode(m, &b.rows[len(b.rows)-1].Event)
	if reason == "" {
		return
	}
	b.rows = b.rows[:len(b.rows)-1]
	b.deadLetters = append(b.deadLetters, kafka.NewDeadLetter(m, epoch, reason, detail))
}

// requests are those that sent the batch's records, as far as a log line has room for them.
func (b *batch) requests() (ids []string) {
	for i := range b.deadLetters {
		ids = kafka.AppendRequest(ids, b.deadLetters[i].Headers)
	}
	for i := range b.rows {
		ids = kafka.AppendRequest(ids, b.rows[i].Record.Headers)
	}
	return ids
}

// traceparents are the traces that the batch's records belong to, as far as a span names others.
func (b *batch) traceparents() (found []string) {
	for i := range b.rows {
		text := kafka.Header(b.rows[i].Record.Headers, tracing.Traceparent)
		if text != "" && (len(found) == 0 || found[len(found)-1] != text) { // those of one request are together
			found = append(found, text)
		}
		if len(found) == mostTraces {
			break
		}
	}
	return found
}

// mostTraces bounds what a span names.
const mostTraces = 100

// payload is what a record's producer sent.
func payload(m *sarama.ConsumerMessage) int64 { return int64(len(m.Key) + len(m.Value)) }

// outcomes are the bytes of the records by what became of them.
func (b *batch) outcomes() (events, duplicates, dead int64) {
	for i := range b.rows {
		events += payload(b.rows[i].Record)
	}
	for i := range b.deadLetters {
		dead += int64(len(b.deadLetters[i].Key) + len(b.deadLetters[i].Value))
	}
	return events, b.payload - events - dead, dead
}

// markPresent marks the rows that turned out to be in the raw table.
func (b *batch) markPresent(present ledger.Offsets) {
	if len(present) == 0 {
		return
	}
	for i := range b.rows {
		b.rows[i].Present = present.Has(b.rows[i].Offset)
	}
}

// offsetRange is the batch as a range row tells it.
func (b *batch) offsetRange() ledger.OffsetRange {
	return ledger.OffsetRange{
		First: b.first, Last: b.next - 1, Rows: uint64(len(b.rows)), Duplicates: b.duplicates,
		Dead: uint64(len(b.deadLetters)), Missing: b.missing, Erased: b.erased,
	}
}

// leaveOut takes what names erased people out of the batch, dead letters too. An offset that the raw
// table has stays: it was applied, its range says so, and its row is removed with the person's others.
func (b *batch) leaveOut(erased core.Erased, present ledger.Offsets) {
	before := len(b.rows) + len(b.deadLetters)
	b.rows = slices.DeleteFunc(b.rows, func(r ledger.Row) bool {
		gone := !r.Present && !present.Has(r.Offset) && names(&r.Event, erased)
		if gone {
			b.payload -= payload(r.Record)
		}
		return gone
	})
	b.deadLetters = slices.DeleteFunc(b.deadLetters, func(l kafka.DeadLetter) bool {
		user, err := core.ParseID(string(l.Key))
		gone := err == nil && erased.Has(user)
		if gone {
			b.payload -= int64(len(l.Key) + len(l.Value))
		}
		return gone
	})
	b.erased += uint64(before - len(b.rows) - len(b.deadLetters))
}

// names tells whether an event is of or about somebody who is erased.
func names(e *codec.Event, erased core.Erased) bool {
	return erased.Has(e.User) || erased.Has(e.Author)
}
