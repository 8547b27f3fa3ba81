package consumer

import (
	"context"
	"strconv"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// batch is what one partition's worker read: changes in the order of the log, cut at truncates.
type batch struct {
	entries     []entry
	truncate    *envelope.SourcePosition // applied after the entries
	deadLetters []kafka.DeadLetter
	records     int
	bytes       int
	last        *sarama.ConsumerMessage
}

// decoder turns the records of one partition into changes.
type decoder struct {
	table   string
	sources []*mapping.Source
	epochs  replica.Epochs
	leader  envelope.Leader
	repeats repeats
	metrics *metrics
	rejects *rejects
	now     func() time.Time
}

// add puts a record's changes into the batch. full is true when the batch must be applied before the
// next record.
func (d *decoder) add(b *batch, m *sarama.ConsumerMessage) (full bool, err error) {
	b.records++
	b.bytes += len(m.Key) + len(m.Value)
	b.last = m
	epoch := d.epochs.Of(m.Partition, m.Offset)
	version, err := replica.VersionOf(epoch, m.Offset)
	if err != nil {
		return false, err
	}
	record, err := envelope.Decode(m.Key, m.Value)
	if err != nil {
		d.reject(b, m, epoch, err)
		return false, nil
	}
	if record.Tombstone {
		d.metrics.tombstones.WithLabelValues(d.table).Inc()
		return false, nil
	}
	d.metrics.records.WithLabelValues(d.table, record.Op.String()).Inc()
	if record.Op == envelope.Message {
		return false, nil
	}
	if d.leader.Late(record.Source) {
		d.metrics.late.WithLabelValues(d.table).Inc()
		return false, nil
	}
	d.leader.Advance(record.Source)
	if d.repeats.has(m.Key, record.Source) {
		d.metrics.repeats.WithLabelValues(d.table).Inc()
		return false, nil
	}
	d.repeats.add(m.Key, record.Source)
	d.observe(record)
	if record.Op == envelope.Truncate {
		at := record.Source.WrittenAt()
		b.truncate = &at
		d.metrics.truncates.WithLabelValues(d.table).Inc()
		return true, nil
	}
	d.rows(b, m, record, epoch, version)
	return false, nil
}

func (d *decoder) rows(b *batch, m *sarama.ConsumerMessage, record envelope.Record, epoch uint16,
	version replica.Version,
) {
	if kafka.HasHeader(m, envelope.HeaderOldKey) {
		d.metrics.keyChanges.WithLabelValues(d.table).Inc()
	}
	before := len(b.entries)
	repairs, repair, err := repairOf(m)
	if err != nil {
		d.reject(b, m, epoch, err)
		return
	}
	for _, s := range d.sources {
		row, err := s.Row(record)
		ask := s.Wide(record.Key) || kafka.HasHeader(m, envelope.HeaderAsk) || d.epochs.Unsettled(epoch, m.Timestamp)
		unordered := ask
		if envelope.ReasonOf(err) == envelope.ReasonUnavailable { // a condition on what the log does not tell
			row, err = s.Deleted(record.Key)
			ask = true
		}
		if err != nil { // kinds that share a table share its fate: half a record is no record
			b.entries = b.entries[:before]
			d.reject(b, m, epoch, err)
			return
		}
		if odd := row.CreatedAt; !row.Gone && !ask && (!odd.After(envelope.MinTime) || !odd.Before(envelope.MaxTime)) {
			d.metrics.oddTimes.WithLabelValues(d.table).Inc() // the zero time is before all
		}
		if row.AudienceUnknown != "" && !ask {
			d.metrics.audienceUnknown.WithLabelValues(d.table).Inc()
			d.rejects.strictest(d.table, row.AudienceUnknown)
		}
		if row.LabelsLeftOut > 0 {
			d.metrics.labelsLeftOut.WithLabelValues(d.table).Add(float64(row.LabelsLeftOut))
		}
		e := entry{
			source: s, key: record.Key, row: row, version: version, position: record.Source.WrittenAt(),
			committedAt: record.Source.CommittedAt, delete: record.Op == envelope.Delete,
			create: record.Op == envelope.Create,
			repair: repair, repairs: repairs, streamed: record.Source.Snapshot == envelope.Streaming,
			ask: ask, unordered: unordered, raise: unordered || d.epochs.Grew(epoch),
		}
		if len(row.Keys) > 0 {
			e.record, e.epoch = m, epoch
		}
		b.entries = append(b.entries, e)
	}
	d.rejects.accepted(d.table)
}

func (d *decoder) reject(b *batch, m *sarama.ConsumerMessage, epoch uint16, err error) {
	d.metrics.deadLetters.WithLabelValues(d.table, envelope.ReasonOf(err)).Inc()
	d.rejects.refused(d.table, m, err)
	b.deadLetters = append(b.deadLetters, deadLetter(m, epoch, err, d.now()))
}

func (d *decoder) observe(record envelope.Record) {
	at := record.Source.CommittedAt
	if record.Source.Snapshot != envelope.Streaming || at.IsZero() {
		return
	}
	if !record.At.IsZero() {
		d.metrics.connectorLag.WithLabelValues(d.table).Set(max(0, record.At.Sub(at).Seconds()))
	}
}

// repairOf is the version that a repair is for.
func repairOf(m *sarama.ConsumerMessage) (version replica.Version, ok bool, err error) {
	for _, h := range m.Headers {
		if string(h.Key) != envelope.HeaderRepair {
			continue
		}
		n, err := strconv.ParseUint(string(h.Value), 10, 64)
		if err != nil {
			return 0, false, envelope.Errorf(envelope.ReasonValue, "header %s: %w", envelope.HeaderRepair, err)
		}
		return replica.Version(n), true, nil
	}
	return 0, false, nil
}

// DeadLetters keeps what could not be applied, for people to look at. Publish returns nil once all
// are safe.
type DeadLetters interface {
	Publish(ctx context.Context, letters []kafka.DeadLetter) error
}

func deadLetter(m *sarama.ConsumerMessage, epoch uint16, why error, at time.Time) kafka.DeadLetter {
	l := kafka.NewDeadLetter(m, epoch, envelope.ReasonOf(why), why.Error())
	l.At = at
	return l
}
