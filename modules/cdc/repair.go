package cdc

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"

	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/pgvalue"
)

// headerRepair marks a record that sets a row right: it counts only if the copy still has this version.
const headerRepair = "feedrank.repair"

// headerAsk marks one whose row has no order in the log: the consumer asks what it is now.
const headerAsk = "feedrank.ask"

// repairBatch bounds what is sent at once.
const repairBatch = 500

// largestRepair is the largest record; a larger one leaves out what is larger than largestValue.
const (
	largestRepair = 900 << 10
	largestValue  = 32 << 10
)

// repair sends what sets the rows right, and returns how many were sent.
func (r *Resync) repair(ctx context.Context, s *mapping.Source, t liveTable, found []difference, at origin) (int, error) {
	if len(found) == 0 {
		return 0, nil
	}
	write, err := r.keyWriter(ctx, s, t)
	if err != nil {
		return 0, err
	}
	var batch []*sarama.ProducerMessage
	sent := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := r.producer.Send(ctx, batch...); err != nil {
			return fmt.Errorf("send repairs: %w", err)
		}
		sent += len(batch)
		batch = nil
		return nil
	}
	for _, d := range found {
		m, err := r.message(s, write, d, at)
		if err != nil {
			return sent, err
		}
		if batch = append(batch, m); len(batch) == repairBatch {
			if err := flush(); err != nil {
				return sent, err
			}
		}
	}
	return sent, flush()
}

func (r *Resync) message(s *mapping.Source, write keyWriter, d difference, at origin) (*sarama.ProducerMessage, error) {
	op, after := envelope.Delete, []byte("null")
	key, err := write.key(d.key)
	if err != nil {
		return nil, err
	}
	headers := []sarama.RecordHeader{{Key: []byte(headerRepair), Value: strconv.AppendUint(nil, d.version, 10)}}
	if write.wide {
		headers = append(headers, sarama.RecordHeader{Key: []byte(headerAsk), Value: []byte("1")})
	}
	if d.original != nil {
		op = envelope.Read
		fields := d.original.fields
		if after, err = json.Marshal(fields); err != nil {
			return nil, err
		}
		if len(after) > largestRepair {
			if after, err = json.Marshal(withoutLarge(fields)); err != nil {
				return nil, err
			}
		}
	}
	schema, name := mapping.SplitTable(s.Table)
	body, err := json.Marshal(map[string]any{
		"before": nil, "after": json.RawMessage(after), "op": op.String(), "ts_ms": at.CommittedAt.UnixMilli(),
		"source": map[string]any{
			"version": "feedrank", "connector": "postgresql", "name": r.cfg.TopicPrefix, "snapshot": "incremental", "schema": schema, "table": name,
			"lsn": at.LSN, "ts_ms": at.CommittedAt.UnixMilli(), "system": strconv.FormatUint(at.System, 10),
		},
	})
	if err != nil {
		return nil, err
	}
	return &sarama.ProducerMessage{Topic: r.mapping.Topic(s.Table), Key: sarama.ByteEncoder(key), Value: sarama.ByteEncoder(body), Headers: headers}, nil
}

// withoutLarge leaves out what is large, of the columns that conditions look at: the consumer asks for it.
func withoutLarge(fields map[string]json.RawMessage) map[string]json.RawMessage {
	out := maps.Clone(fields)
	for name, value := range out {
		if len(value) > largestValue {
			out[name] = json.RawMessage(`"` + envelope.Unavailable + `"`)
		}
	}
	return out
}

// keyValues are the key columns' values as text, from the key of our copy.
func (t liveTable) keyValues(s *mapping.Source, key string) (map[string]string, error) {
	values := map[string]string{}
	if id := s.IDColumn(); id != "" {
		values[id] = key
		return values, nil
	}
	names, parts := t.sortedKey(), strings.Split(key, ":")
	if len(names) != len(parts) {
		return nil, fmt.Errorf("key %s of %s does not have the columns %v: was the primary key changed?", key, s.Table, names)
	}
	for i, name := range names {
		text, err := url.PathUnescape(parts[i])
		if err != nil {
			return nil, fmt.Errorf("key %s of %s: %w", key, s.Table, err)
		}
		values[name] = text
	}
	return values, nil
}

// keyOf writes the record's key as the source does, from the key of our copy: the same bytes go to the
// same partition.
func (t liveTable) keyOf(s *mapping.Source, key string) ([]byte, error) {
	values, err := t.keyValues(s, key)
	if err != nil {
		return nil, err
	}
	out := []byte{'{'}
	for i, c := range t.key {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		out = append(append(out, name...), ':')
		switch t.oids[c] {
		case pgtype.TimestampOID, pgtype.DateOID, pgtype.TimeOID: // numbers already
			out = append(out, values[c]...)
		default:
			out = append(out, pgvalue.JSON(t.oids[c], []byte(values[c]))...)
		}
	}
	return append(out, '}'), nil
}
