package envelope

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// Decode reads the key and the value of a Kafka record. A record that cannot be read gives an
// *Error; nothing that is in the bytes makes it panic.
func Decode(key, value []byte) (Record, error) {
	keyRow, err := DecodeKey(key)
	if err != nil {
		return Record{}, err
	}
	if len(value) == 0 {
		if keyRow.Empty() {
			return Record{}, Errorf(ReasonNoKey, "a tombstone without a key")
		}
		return Record{Key: keyRow, Tombstone: true, Op: Delete}, nil
	}
	return decodeValue(keyRow, value)
}

// DecodeKey reads a record's key: an object of the primary key's columns. No key is an empty row.
func DecodeKey(key []byte) (Row, error) {
	if isNull(key) {
		return Row{}, nil
	}
	if row, ok := structKey(key); ok {
		return row, nil
	}
	var outer struct {
		Schema  json.RawMessage `json:"schema"`
		Payload json.RawMessage `json:"payload"`
	}
	fields, err := object(key)
	if err != nil {
		return Row{}, Errorf(ReasonMalformed, "key: %w", err)
	}
	// A key's own columns may be called schema and payload; then payload is no object.
	if payload, ok := fields["payload"]; ok && len(fields) == 2 && fields["schema"] != nil {
		if err := json.Unmarshal(key, &outer); err != nil {
			return Row{}, Errorf(ReasonMalformed, "key: %w", err)
		}
		if isNull(payload) {
			return Row{}, nil
		}
		if inner, err := object(payload); err == nil {
			return Row{fields: inner, schema: newSchema(outer.Schema, "")}, nil
		}
	}
	return Row{fields: fields}, nil
}

// wire is the value's JSON. Both shapes are read in one go: the bare envelope, and the one with a
// schema around it.
type wire struct {
	Schema  json.RawMessage `json:"schema"`
	Payload json.RawMessage `json:"payload"`

	Op     *string         `json:"op"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
	Source json.RawMessage `json:"source"`
	TsMs   *int64          `json:"ts_ms"`
}

func decodeValue(key Row, value []byte) (Record, error) {
	var outer wire
	if err := json.Unmarshal(value, &outer); err != nil {
		return Record{}, unreadable(err)
	}
	body := outer
	if outer.Op == nil && len(outer.Payload) > 0 {
		if isNull(outer.Payload) {
			return Record{Key: key, Tombstone: true, Op: Delete}, nil
		}
		body = wire{}
		if err := json.Unmarshal(outer.Payload, &body); err != nil {
			return Record{}, unreadable(err)
		}
	}
	if body.Op == nil {
		return Record{}, Errorf(ReasonNotEnvelope,
			"no op: is the ExtractNewRecordState transform on? It drops what order and deletes need")
	}
	op, err := parseOp(*body.Op)
	if err != nil {
		return Record{}, err
	}
	record := Record{Key: key, Op: op}
	if body.TsMs != nil {
		record.At = time.UnixMilli(*body.TsMs).UTC()
	}
	if record.Source, err = decodeSource(body.Source); err != nil {
		return Record{}, err
	}
	if record.Before, err = decodeRow(body.Before, outer.Schema, "before"); err != nil {
		return Record{}, err
	}
	if record.After, err = decodeRow(body.After, outer.Schema, "after"); err != nil {
		return Record{}, err
	}
	record.After.told = record.Source.Times
	return record, check(record)
}

// check holds each operation to what it must bring.
func check(r Record) error {
	switch r.Op {
	case Create, Update, Read:
		if r.After.Empty() {
			return Errorf(ReasonNoRow, "op %s without the row after it", r.Op)
		}
		fallthrough
	case Delete:
		if r.Key.Empty() {
			return Errorf(ReasonNoKey,
				"op %s of %s.%s without a key: the table needs a primary key, or a replica identity by an index",
				r.Op, r.Source.Schema, r.Source.Table)
		}
	case Truncate, Message:
	}
	return nil
}

func parseOp(s string) (Op, error) {
	if len(s) == 1 {
		switch op := Op(s[0]); op {
		case Create, Update, Delete, Read, Truncate, Message:
			return op, nil
		}
	}
	return 0, Errorf(ReasonUnknownOp, "op %.20q", s)
}

func decodeRow(raw, schema json.RawMessage, field string) (Row, error) {
	if isNull(raw) {
		return Row{}, nil
	}
	fields, err := object(raw)
	if err != nil {
		return Row{}, Errorf(ReasonMalformed, "%s: %w", field, err)
	}
	return Row{fields: fields, schema: newSchema(schema, field)}, nil
}

func object(raw []byte) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, errors.New("an object without columns")
	}
	return fields, nil
}

func unreadable(err error) error {
	var shape *json.UnmarshalTypeError
	if errors.As(err, &shape) {
		return Errorf(ReasonNotEnvelope, "%w", err)
	}
	return Errorf(ReasonMalformed, "%w", err)
}

func isNull(raw []byte) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null"
}

func parseUint(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}
