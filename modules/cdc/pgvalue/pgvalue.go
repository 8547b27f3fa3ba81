package pgvalue

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// Append appends the JSON of a value that is not null. The session must use DateStyle ISO, TimeZone UTC and
// bytea_output hex. Types that are not known are strings, as in Debezium.
func Append(dst []byte, oid uint32, text []byte) []byte {
	s := string(text)
	switch oid {
	case pgtype.BoolOID:
		return strconv.AppendBool(dst, s == "t" || s == "true")
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID, pgtype.Float4OID, pgtype.Float8OID:
		if isNumber(s) { // NaN and Infinity are none in JSON
			return append(dst, s...)
		}
	case pgtype.TimestampOID:
		if t, err := time.Parse("2006-01-02 15:04:05.999999", s); err == nil {
			return strconv.AppendInt(dst, t.UnixMicro(), 10)
		}
		return strconv.AppendInt(dst, beyond(s).UnixMicro(), 10)
	case pgtype.DateOID:
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			if t = beyond(s); t.Equal(envelope.MaxTime) {
				t = t.Add(time.Microsecond) // a day beyond, which whoever reads it moves to the very end
			}
		}
		return strconv.AppendInt(dst, t.Unix()/86400, 10)
	case pgtype.TimeOID:
		if t, err := time.Parse("15:04:05.999999", s); err == nil {
			return strconv.AppendInt(dst, t.Sub(t.Truncate(24*time.Hour)).Microseconds(), 10)
		}
	case pgtype.TimestamptzOID:
		if t, err := time.Parse("2006-01-02 15:04:05.999999Z07", s); err == nil {
			return appendString(dst, t.UTC().Format("2006-01-02T15:04:05.000000Z"))
		}
	case pgtype.ByteaOID:
		if b, err := hex.DecodeString(strings.TrimPrefix(s, `\x`)); err == nil {
			return appendString(dst, base64.StdEncoding.EncodeToString(b))
		}
	}
	if element, ok := elements[oid]; ok {
		return appendArray(dst, element, s)
	}
	return appendString(dst, s)
}

// AppendMillis is Append for times of three decimals at most, timestamp(3) and time(3), which Debezium
// counts in milliseconds.
func AppendMillis(dst []byte, oid uint32, text []byte) []byte {
	micros, err := strconv.ParseInt(string(Append(nil, oid, text)), 10, 64)
	if err != nil { // no time that Go reads
		return Append(dst, oid, text)
	}
	return strconv.AppendInt(dst, time.UnixMicro(micros).UnixMilli(), 10)
}

func isNumber(s string) bool {
	return s != "" && (s[0] == '-' || (s[0] >= '0' && s[0] <= '9')) && json.Valid([]byte(s))
}

// beyond is the end of the range that is nearer to a time Go cannot read.
func beyond(s string) time.Time {
	if strings.HasPrefix(s, "-") || strings.HasSuffix(s, "BC") {
		return envelope.MinTime
	}
	return envelope.MaxTime
}

func appendString(dst []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil { // a string always has a JSON form
		return append(dst, `""`...)
	}
	return append(dst, quoted...)
}

// Row collects a row that was read in text format.
func Row(row pgx.CollectableRow) (envelope.Row, error) {
	fields := map[string]json.RawMessage{}
	values := row.RawValues()
	for i, field := range row.FieldDescriptions() {
		fields[field.Name] = Plain(field.DataTypeOID, values[i])
	}
	return envelope.NewRow(fields), nil
}

// Plain is JSON for rows that carry no schema: their times are text, which means the same whatever the
// unit of the numbers is that a connector writes.
func Plain(oid uint32, text []byte) json.RawMessage {
	if text != nil && (oid == pgtype.TimestampOID || oid == pgtype.DateOID) {
		return appendString(nil, string(text))
	}
	return JSON(oid, text)
}

// JSON is the value, or null.
func JSON(oid uint32, text []byte) json.RawMessage {
	if text == nil {
		return json.RawMessage("null")
	}
	return Append(nil, oid, text)
}
