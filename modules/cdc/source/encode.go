package source

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/pgvalue"
)

// value is one column of a row: PostgreSQL's text form, null, or a large value that was not logged.
type value struct {
	text        []byte
	null        bool
	unavailable bool
}

// moment is where and when a change was made, and by which way it came to us.
type moment struct {
	lsn         uint64
	lastCommit  uint64 // zero: not known
	xid         uint32
	committedAt time.Time
	snapshot    string
}

// encoder writes envelopes in Debezium's JSON, without schemas.
type encoder struct {
	name     string // Debezium's topic.prefix
	database string
	system   string
	timeline int32 // of the system; one until a standby took over
	lead     int64
	now      func() time.Time
}

// change writes an envelope; before and after may be nil.
func (e encoder) change(t *table, op envelope.Op, before, after []value, at moment) []byte {
	b := make([]byte, 0, 512)
	b = append(b, `{"before":`...)
	b = appendRow(b, t, before)
	b = append(b, `,"after":`...)
	b = appendRow(b, t, after)
	b = append(b, `,"source":`...)
	b = e.appendSource(b, t, at)
	b = append(b, `,"transaction":null,"op":"`...)
	b = append(b, byte(op), '"')
	return append(appendTimes(append(b, ','), e.now()), '}')
}

func (e encoder) appendSource(b []byte, t *table, at moment) []byte {
	b = append(b, `{"version":"feedrank","connector":"postgresql","name":`...)
	b = appendString(b, e.name)
	b = append(append(b, `,"snapshot":"`...), at.snapshot...)
	b = append(b, `","db":`...)
	b = appendString(b, e.database)
	b = append(b, `,"sequence":"[`...)
	if at.lastCommit == 0 {
		b = append(b, `null`...)
	} else {
		b = append(strconv.AppendUint(append(b, `\"`...), at.lastCommit, 10), `\"`...)
	}
	b = append(strconv.AppendUint(append(b, `,\"`...), at.lsn, 10), `\"]",`...)
	b = appendTimes(b, at.committedAt)
	b = append(b, `,"schema":`...)
	b = appendString(b, t.schema)
	b = append(b, `,"table":`...)
	b = appendString(b, t.name)
	b = strconv.AppendUint(append(b, `,"txId":`...), uint64(at.xid), 10)
	b = strconv.AppendUint(append(b, `,"lsn":`...), at.lsn, 10)
	b = appendTimeUnits(b, t)
	b = append(append(b, `,"xmin":null,"system":"`...), e.system...)
	b = strconv.AppendInt(append(b, `","lead":"`...), e.lead, 10)
	b = append(b, '"')
	if e.timeline > 1 {
		b = strconv.AppendInt(append(b, `,"timeline":`...), int64(e.timeline), 10)
	}
	return append(b, '}')
}

// appendTimeUnits says what numbers in time columns count: no schema does, and it hangs on the column's type.
func appendTimeUnits(b []byte, t *table) []byte {
	n := 0
	for _, c := range t.columns {
		unit := envelope.Micros
		switch {
		case c.oid == pgtype.DateOID:
			unit = envelope.Days
		case c.oid != pgtype.TimestampOID:
			continue
		case c.millis:
			unit = envelope.Millis
		}
		if n++; n == 1 {
			b = append(b, `,"times":{`...)
		} else {
			b = append(b, ',')
		}
		b = append(append(append(append(b, c.label...), '"'), unit...), '"')
	}
	if n > 0 {
		b = append(b, '}')
	}
	return b
}

// appendRow writes a row in the order of its columns.
func appendRow(b []byte, t *table, row []value) []byte {
	if row == nil {
		return append(b, "null"...)
	}
	b = append(b, '{')
	for i, c := range t.columns {
		if i >= len(row) {
			break
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, c.label...)
		b = appendValue(b, c, row[i])
	}
	return append(b, '}')
}

// appendKey writes a record's key, in the order of the primary key.
func appendKey(b []byte, t *table, row []value) []byte {
	b = append(b, '{')
	for n, i := range t.recordKey() {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, t.columns[i].label...)
		b = appendValue(b, t.columns[i], row[i])
	}
	return append(b, '}')
}

func appendValue(b []byte, c column, v value) []byte {
	switch {
	case v.unavailable && pgvalue.IsArray(c.oid):
		return append(b, `["`+envelope.Unavailable+`"]`...)
	case v.unavailable:
		return append(b, `"`+envelope.Unavailable+`"`...)
	case v.null:
		return append(b, "null"...)
	}
	if c.millis {
		return pgvalue.AppendMillis(b, c.oid, v.text)
	}
	return pgvalue.Append(b, c.oid, v.text)
}

func appendTimes(b []byte, t time.Time) []byte {
	b = strconv.AppendInt(append(b, `"ts_ms":`...), t.UnixMilli(), 10)
	b = strconv.AppendInt(append(b, `,"ts_us":`...), t.UnixMicro(), 10)
	return strconv.AppendInt(append(b, `,"ts_ns":`...), t.UnixNano(), 10)
}

func appendString(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil { // a string always has a JSON form
		return append(b, `""`...)
	}
	return append(b, quoted...)
}

// shorten makes large text values unavailable, so that a row fits into a Kafka message; the consumer
// reads what it needs of them from PostgreSQL.
func shorten(t *table, row []value, longest int) []value {
	if row == nil {
		return nil
	}
	out := append([]value(nil), row...)
	for i := range out {
		if len(out[i].text) > longest && !t.isKey(i) {
			out[i] = value{unavailable: true}
		}
	}
	return out
}
