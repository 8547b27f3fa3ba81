package events

import (
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// batch is a run of offsets on its way into ClickHouse. Its memory is used again.
type batch struct {
	first, next int64 // it covers first to next-1
	rows        []row
	letters     []DeadLetter
	duplicates  uint64
	missing     uint64
	bytes       int64
	records     int
	oldest      time.Time // Kafka timestamps of the first and the last record
	newest      time.Time
}

// reset begins a batch at an offset.
func (b *batch) reset(first int64) {
	clear(b.rows) // the strings hold on to their records
	clear(b.letters)
	*b = batch{first: first, next: first, rows: b.rows[:0], letters: b.letters[:0]}
}

func (b *batch) empty() bool { return b.records == 0 }

// add reads a record into the batch. Offsets below the batch are applied already.
func (b *batch) add(m *sarama.ConsumerMessage, reader *recordReader, topic string, epoch uint16) {
	if m.Offset < b.next {
		return
	}
	b.missing += uint64(m.Offset - b.next) //nolint:gosec // not negative
	b.next = m.Offset + 1
	b.bytes += kafka.Weight(m)
	if b.records == 0 {
		b.oldest = m.Timestamp
	}
	b.newest = m.Timestamp
	b.records++
	b.rows = append(b.rows, row{offset: m.Offset, record: m})
	reason, detail := reader.read(m, &b.rows[len(b.rows)-1].event)
	if reason == "" {
		return
	}
	b.rows = b.rows[:len(b.rows)-1]
	b.letters = append(b.letters, deadLetter(m, topic, epoch, reason, detail))
}

// dayRows is how many rows are still to be inserted into one ClickHouse partition.
type dayRows struct {
	day  int32
	rows int
}

// days are the ClickHouse partitions that the rows still to be inserted touch, oldest first.
func (b *batch) days(out []dayRows) []dayRows {
	out = out[:0]
	for i := range b.rows {
		if b.rows[i].present {
			continue
		}
		day := b.rows[i].day()
		at := slices.IndexFunc(out, func(d dayRows) bool { return d.day == day })
		if at < 0 {
			at, out = len(out), append(out, dayRows{day: day})
		}
		out[at].rows++
	}
	slices.SortFunc(out, func(a, b dayRows) int { return int(a.day - b.day) })
	return out
}

// settle marks the rows that turned out to be in the raw table.
func (b *batch) settle(present offsets) {
	if len(present) == 0 {
		return
	}
	for i := range b.rows {
		b.rows[i].present = present.has(b.rows[i].offset)
	}
}

// extent is the batch as a range row tells it.
func (b *batch) extent() extent {
	return extent{
		first: b.first, last: b.next - 1, rows: uint64(len(b.rows)), duplicates: b.duplicates,
		dead: uint64(len(b.letters)), missing: b.missing,
	}
}
