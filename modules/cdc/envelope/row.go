package envelope

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"
)

// Row is the columns of a row, or of a key, by name.
type Row struct {
	fields map[string]json.RawMessage
	schema *schema
	told   map[string]Unit // what the source says that numbers in time columns count
}

// NewRow makes a row of columns that are JSON already.
func NewRow(fields map[string]json.RawMessage) Row { return Row{fields: fields} }

// Empty tells whether there is no row.
func (r Row) Empty() bool { return len(r.fields) == 0 }

// Columns are the names, sorted.
func (r Row) Columns() []string { return slices.Sorted(maps.Keys(r.fields)) }

// Has tells whether the record brought the column, be it null.
func (r Row) Has(column string) bool {
	_, ok := r.fields[column]
	return ok
}

// Only is the row with one of its columns.
func (r Row) Only(column string) Row {
	return Row{fields: map[string]json.RawMessage{column: r.fields[column]}, schema: r.schema, told: r.told}
}

// IsNull tells whether the column is null or missing.
func (r Row) IsNull(column string) bool { return isNull(r.fields[column]) }

// IsUnavailable tells whether the column is a large value that PostgreSQL did not log.
func (r Row) IsUnavailable(column string) bool {
	const marker = `"` + Unavailable + `"`
	raw := string(r.fields[column])
	return raw == marker || raw == "["+marker+"]"
}

// Text is the column as text: a string as it is, anything else as its JSON. Null is empty.
func (r Row) Text(column string) (string, error) {
	raw, err := r.value(column)
	if err != nil || isNull(raw) {
		return "", err
	}
	if raw[0] != '"' {
		return string(raw), nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", Errorf(ReasonValue, "column %s: %w", column, err)
	}
	return s, nil
}

// Texts are the values of the column as text: of an array each that is not null, else the one that there is; of null
// none.
func (r Row) Texts(column string) ([]string, error) {
	raw, err := r.value(column)
	switch {
	case err != nil || isNull(raw):
		return nil, err
	case r.IsUnavailable(column):
		return nil, Errorf(ReasonUnavailable, "column %s: the record does not tell it", column)
	case raw[0] != '[':
		text, err := r.Text(column)
		return []string{text}, err
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return nil, Errorf(ReasonValue, "column %s: %w", column, err)
	}
	var texts []string
	for _, element := range elements {
		if isNull(element) {
			continue
		}
		text, err := Row{fields: map[string]json.RawMessage{column: element}}.Text(column)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// Int is the column as an integer: a number, its decimal text, or Debezium's precise decimal.
func (r Row) Int(column string) (int64, error) {
	text, err := r.Text(column)
	if err != nil {
		return 0, err
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	if n := r.whole(column, r.fields[column], text); n != nil && n.IsInt64() {
		return n.Int64(), nil
	}
	return 0, Errorf(ReasonValue, "column %s: not a 64-bit integer", column).Quoting(text)
}

// Bool is the column as a flag: true, or a number that is not zero. Null is false.
func (r Row) Bool(column string) (bool, error) {
	text, err := r.Text(column)
	if err != nil {
		return false, err
	}
	switch text {
	case "true", "t", "1":
		return true, nil
	case "false", "f", "0", "":
		return false, nil
	}
	return false, Errorf(ReasonValue, "column %s: neither true nor false", column).Quoting(text)
}

func (r Row) value(column string) (json.RawMessage, error) {
	raw, ok := r.fields[column]
	if !ok {
		return nil, Errorf(ReasonColumn, "column %s is not in the record: was it dropped or renamed? See cdc.tables",
			column)
	}
	return raw, nil
}

// KeyText is the column as the text of a key: a text as it is, a whole number in decimal, Debezium's precise decimals
// as the whole number that they are.
func (r Row) KeyText(column string) (string, error) {
	raw, err := r.value(column)
	if err != nil {
		return "", err
	}
	if r.IsUnavailable(column) {
		return "", Errorf(ReasonUnavailable, "column %s: the record does not tell it", column)
	}
	text, err := r.Text(column)
	if err != nil {
		return "", err
	}
	if n := r.whole(column, raw, text); n != nil {
		return n.String(), nil
	}
	if !isNull(raw) && raw[0] != '"' && !integer.MatchString(text) {
		return "", Errorf(ReasonValue, "column %s: neither text nor a whole number", column).Quoting(text)
	}
	return text, nil
}

// whole reads org.apache.kafka.connect.data.Decimal of scale 0, and io.debezium.data.VariableScaleDecimal, which brings
// its scale: big-endian two's complement in base64; nil: it is neither. Without a schema the first cannot be told from
// text; decimal.handling.mode=string avoids it.
func (r Row) whole(column string, raw json.RawMessage, text string) *big.Int {
	switch {
	case len(raw) > 0 && raw[0] == '{':
		var variable struct {
			Scale *int   `json:"scale"`
			Value string `json:"value"`
		}
		if json.Unmarshal(raw, &variable) != nil || variable.Scale == nil || *variable.Scale != 0 {
			return nil
		}
		text = variable.Value
	case !r.schema.isDecimal(column):
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) == 0 {
		return nil
	}
	n := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}
