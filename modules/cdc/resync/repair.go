package resync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
)

// repairBatch bounds what is sent at once.
const repairBatch = 500

// largestRepair is the largest record; a larger one leaves out what is larger than largestValue.
const (
	largestRepair = 900 << 10
	largestValue  = 32 << 10
)

// repair sends what sets the rows right, and returns how many were sent.
func (r *Resync) repair(ctx context.Context, s *mapping.Source, t schema.AppTable, found []difference,
	at envelope.SourcePosition,
) (int, error) {
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
		if err := r.Producer.Send(ctx, batch...); err != nil {
			return fmt.Errorf("send repairs: %w", err)
		}
		sent += len(batch)
		batch = nil
		return nil
	}
	for _, d := range found {
		m, err := r.message(s, write, d, at)
		if errors.Is(err, schema.ErrUnnamed) { // it stays a difference: its partition cannot be told
			continue
		}
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

func (r *Resync) message(s *mapping.Source, write keyWriter, d difference,
	at envelope.SourcePosition,
) (*sarama.ProducerMessage, error) {
	op, after := envelope.Delete, []byte("null")
	key, err := write.key(d.key, d.texts)
	if err != nil {
		return nil, err
	}
	headers := []sarama.RecordHeader{{
		Key:   []byte(envelope.HeaderRepair),
		Value: strconv.AppendUint(nil, uint64(d.version), 10),
	}}
	if write.wide {
		headers = append(headers, sarama.RecordHeader{Key: []byte(envelope.HeaderAsk), Value: []byte("1")})
	}
	if d.original != nil {
		op = envelope.Read
		fields := d.original.Fields
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
			"version": "feedrank", "connector": "postgresql", "name": r.Name, "snapshot": "incremental",
			"schema": schema, "table": name,
			"lsn": at.LSN, "ts_ms": at.CommittedAt.UnixMilli(), "system": strconv.FormatUint(at.Log, 10),
		},
	})
	if err != nil {
		return nil, err
	}
	return &sarama.ProducerMessage{
		Topic: r.Mapping.Topic(s.Table), Key: sarama.ByteEncoder(key),
		Value: sarama.ByteEncoder(body), Headers: headers,
	}, nil
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
