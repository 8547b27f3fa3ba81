package source

import (
	"context"
	"fmt"
	"slices"

	"github.com/IBM/sarama"
	"github.com/jackc/pglogrepl"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// relation is a table as it was at a point of the log.
type relation struct {
	*table       // nil: not one of ours
	pick   []int // where its columns stand in the log's rows: of the others none is sent
	full   bool  // replica identity full: old rows are whole
}

func (r *reader) decode(ctx context.Context, log pglogrepl.XLogData) error {
	message, err := pglogrepl.Parse(log.WALData)
	if err != nil {
		return fmt.Errorf("replication at %s: %w", log.WALStart, err)
	}
	switch m := message.(type) {
	case *pglogrepl.BeginMessage:
		r.open, r.changed = r.out.begin(), false
		r.at = moment{lastCommit: r.lastCommit, xid: m.Xid, committedAt: m.CommitTime.UTC(), snapshot: "false"}
		return nil
	case *pglogrepl.CommitMessage:
		r.commit(m)
		return nil
	case *pglogrepl.RelationMessage:
		r.relate(m)
		return nil
	}
	if r.open == nil {
		return fmt.Errorf("replication at %s: a change outside a transaction", log.WALStart)
	}
	r.at.lsn = uint64(log.WALStart)
	return r.change(ctx, message)
}

func (r *reader) commit(m *pglogrepl.CommitMessage) {
	if r.open == nil {
		return
	}
	r.out.seal(r.open, uint64(m.TransactionEndLSN))
	r.open, r.lastCommit = nil, uint64(m.CommitLSN)
	if r.changed {
		r.metrics.transactions.Inc()
		r.metrics.readLag.Set(max(0, r.clock.Now().Sub(r.at.committedAt).Seconds()))
	}
}

// relate takes note of a table's columns. The key is the catalog's: under replica identity full the
// log marks every column.
func (r *reader) relate(m *pglogrepl.RelationMessage) {
	known, ok := r.tables[m.Namespace+"."+m.RelationName]
	if !ok {
		r.relations[m.RelationID] = &relation{}
		return
	}
	t := &table{schema: m.Namespace, name: m.RelationName, by: known.by}
	full := m.ReplicaIdentity == 'f'
	sent, place, told := known.names(), map[string]int{}, map[string]bool{}
	var pick, flagged []int
	for i, c := range m.Columns {
		old := c.Flags == 1 && !full // the log tells it of old rows
		if !old && !slices.Contains(sent, c.Name) {
			continue
		}
		if old {
			flagged, told[c.Name] = append(flagged, len(pick)), true
		}
		place[c.Name] = len(pick)
		pick = append(pick, i)
		t.columns = append(t.columns, newColumn(c.Name, c.DataType, "", c.TypeModifier))
	}
	for _, k := range known.key {
		name := known.columns[k].name
		i, ok := place[name]
		if !ok || (!full && !told[name]) { // the key was another one then; the table is read anew
			t.key = flagged
			break
		}
		t.key = append(t.key, i)
	}
	r.relations[m.RelationID] = &relation{table: t, pick: pick, full: full}
}

func (r *reader) change(ctx context.Context, message pglogrepl.Message) error {
	switch m := message.(type) {
	case *pglogrepl.InsertMessage:
		if t := r.relations[m.RelationID]; t != nil && t.table != nil {
			return r.put(ctx, t.table, envelope.Create, nil, t.values(m.Tuple), nil)
		}
	case *pglogrepl.UpdateMessage:
		if t := r.relations[m.RelationID]; t != nil && t.table != nil {
			return r.update(ctx, t, m)
		}
	case *pglogrepl.DeleteMessage:
		if t := r.relations[m.RelationID]; t != nil && t.table != nil {
			old := t.values(m.OldTuple)
			if !t.full {
				old = t.keyOf(old)
			}
			return r.delete(ctx, t.table, old, nil)
		}
	case *pglogrepl.TruncateMessage:
		for _, id := range m.RelationIDs {
			if t := r.relations[id]; t != nil && t.table != nil {
				if err := r.truncate(ctx, t.table); err != nil {
					return err
				}
			}
		}
	}
	return nil // types, origins and messages are not ours
}

// update sends an update; one that changes the key is a delete under the old and a create under the
// new, perhaps in two partitions.
func (r *reader) update(ctx context.Context, t *relation, m *pglogrepl.UpdateMessage) error {
	after := t.values(m.NewTuple)
	old := t.values(m.OldTuple)
	if t.full && old != nil {
		for i := range after {
			if after[i].unavailable {
				after[i] = old[i]
			}
		}
	}
	if old == nil || t.sameKey(old, after) {
		if !t.full {
			old = nil
		}
		return r.put(ctx, t.table, envelope.Update, old, after, nil)
	}
	if !t.full {
		old = t.keyOf(old)
	}
	newKey := sarama.RecordHeader{Key: []byte(envelope.HeaderNewKey), Value: appendKey(nil, t.table, after)}
	if err := r.delete(ctx, t.table, old, []sarama.RecordHeader{newKey}); err != nil {
		return err
	}
	oldKey := sarama.RecordHeader{Key: []byte(envelope.HeaderOldKey), Value: appendKey(nil, t.table, old)}
	return r.put(ctx, t.table, envelope.Create, nil, after, []sarama.RecordHeader{oldKey})
}

func (r *reader) put(ctx context.Context, t *table, op envelope.Op, before, after []value,
	headers []sarama.RecordHeader,
) error {
	r.changed = true
	r.metrics.records.WithLabelValues(t.fullName(), op.String()).Inc()
	return r.Source.put(ctx, r.out, r.open, r.encoder, t, op, before, after, r.at, headers)
}

func (r *reader) delete(ctx context.Context, t *table, old []value, headers []sarama.RecordHeader) error {
	if err := r.put(ctx, t, envelope.Delete, old, nil, headers); err != nil {
		return err
	}
	return r.tombstone(ctx, r.out, r.open, t, old)
}

func (r *reader) truncate(ctx context.Context, t *table) error {
	r.changed = true
	r.metrics.records.WithLabelValues(t.fullName(), envelope.Truncate.String()).Inc()
	return r.deliver(ctx, r.out, r.open, &sarama.ProducerMessage{
		Topic: r.topic(t.fullName()), Value: sarama.ByteEncoder(r.encoder.change(t, envelope.Truncate, nil, nil, r.at)),
	})
}

// values are those of the columns that are sent, of a row of the log.
func (t *relation) values(tuple *pglogrepl.TupleData) []value {
	if tuple == nil {
		return nil
	}
	out := make([]value, len(t.pick))
	for i, at := range t.pick {
		if at >= len(tuple.Columns) {
			out[i].null = true
			continue
		}
		c := tuple.Columns[at]
		switch c.DataType {
		case pglogrepl.TupleDataTypeNull:
			out[i].null = true
		case pglogrepl.TupleDataTypeToast:
			out[i].unavailable = true
		default:
			out[i].text = c.Data
		}
	}
	return out
}
