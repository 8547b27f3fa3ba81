package envelope

import (
	"bytes"
	"encoding/json"
)

// schema is the Kafka Connect schema that came with a record. It is large and seldom needed, so it
// is parsed only when a number's meaning hangs on it.
type schema struct {
	raw   json.RawMessage
	field string // of the envelope: before or after; empty for a key
}

type connectSchema struct {
	Field      string            `json:"field"`
	Name       string            `json:"name"`
	Fields     []connectSchema   `json:"fields"`
	Parameters map[string]string `json:"parameters"`
}

func newSchema(raw json.RawMessage, field string) *schema {
	if isNull(raw) {
		return nil
	}
	return &schema{raw: raw, field: field}
}

// column finds the column's semantic type, such as io.debezium.time.MicroTimestamp.
func (s *schema) column(name string) (connectSchema, bool) {
	if s == nil {
		return connectSchema{}, false
	}
	var at connectSchema
	if json.Unmarshal(s.raw, &at) != nil {
		return connectSchema{}, false
	}
	ok := true
	if s.field != "" {
		at, ok = at.child(s.field)
	}
	if !ok {
		return connectSchema{}, false
	}
	return at.child(name)
}

func (c connectSchema) child(field string) (connectSchema, bool) {
	for _, f := range c.Fields {
		if f.Field == field {
			return f, true
		}
	}
	return connectSchema{}, false
}

// isDecimal tells whether a column is a whole number of any size, in Kafka Connect's form.
func (s *schema) isDecimal(name string) bool {
	const decimal = "org.apache.kafka.connect.data.Decimal"
	if s == nil || !bytes.Contains(s.raw, []byte(decimal)) { // seldom is there one
		return false
	}
	c, ok := s.column(name)
	return ok && c.Name == decimal && c.Parameters["scale"] == "0"
}
