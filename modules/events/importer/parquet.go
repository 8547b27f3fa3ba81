package importer

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
)

// rowsAtOnce are read from a Parquet file together.
const rowsAtOnce = 128

// columnar is a Parquet file. Columns within lists and groups are left out: no field of an event is in one.
type columnar struct {
	file    *os.File
	rows    parquet.Rows
	columns []column // by their index among the leaves
	buffer  []parquet.Row
	left    []parquet.Row // read, and not given yet
	ended   error
	row     []byte
}

// column is a leaf, and how its values are written; nil: not at all.
type column struct {
	name  string
	write func([]byte, parquet.Value) []byte
}

func openParquet(name string) (_ source, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	opened, err := parquet.OpenFile(file, info.Size(), parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	if err != nil {
		return nil, err
	}
	c := &columnar{file: file, buffer: make([]parquet.Row, rowsAtOnce)}
	for _, path := range opened.Schema().Columns() {
		leaf, _ := opened.Schema().Lookup(path...)
		one := column{name: path[0]}
		if len(path) == 1 && leaf.MaxRepetitionLevel == 0 {
			one.write = writer(leaf.Node.Type())
		}
		c.columns = append(c.columns, one)
	}
	c.rows = parquet.MultiRowGroup(opened.RowGroups()...).Rows()
	return c, nil
}

func (c *columnar) next() (row, content []byte, err error) {
	for len(c.left) == 0 {
		if c.ended != nil {
			return nil, nil, c.ended
		}
		var n int
		n, c.ended = c.rows.ReadRows(c.buffer)
		c.left = c.buffer[:n]
	}
	c.row = append(c.row[:0], '{')
	for _, value := range c.left[0] {
		if one := c.columns[value.Column()]; one.write != nil && !value.IsNull() {
			c.row = one.write(appendName(c.row, one.name), value)
		}
	}
	c.left = c.left[1:]
	c.row = append(c.row, '}')
	return c.row, c.row, nil
}

func (c *columnar) close() error { return errors.Join(c.rows.Close(), c.file.Close()) }

// writer says how values of a type are written as JSON.
func writer(t parquet.Type) func([]byte, parquet.Value) []byte {
	if unit := unitOf(t); unit != 0 {
		return func(b []byte, v parquet.Value) []byte {
			n := v.Int64()
			seconds := n / int64(time.Second/unit)
			return appendTime(b, time.Unix(seconds, (n-seconds*int64(time.Second/unit))*int64(unit)))
		}
	}
	switch t.Kind() {
	case parquet.Boolean:
		return func(b []byte, v parquet.Value) []byte { return strconv.AppendBool(b, v.Boolean()) }
	case parquet.Int32:
		return func(b []byte, v parquet.Value) []byte { return strconv.AppendInt(b, int64(v.Int32()), 10) }
	case parquet.Int64:
		return func(b []byte, v parquet.Value) []byte { return strconv.AppendInt(b, v.Int64(), 10) }
	case parquet.Int96: // a time, as Spark and Hive write it: nanoseconds of a day, and the Julian day
		return func(b []byte, v parquet.Value) []byte { return appendTime(b, julian(v.Int96())) }
	case parquet.Float, parquet.Double:
		return func(b []byte, v parquet.Value) []byte { return appendNumber(b, v) }
	case parquet.FixedLenByteArray:
		if l := t.LogicalType(); l != nil {
			if _, ok := l.Value.(*format.UUIDType); ok {
				return func(b []byte, v parquet.Value) []byte { return appendUUID(b, v.ByteArray()) }
			}
		}
	case parquet.ByteArray:
	}
	return func(b []byte, v parquet.Value) []byte {
		if text := v.ByteArray(); utf8.Valid(text) {
			return codec.AppendString(b, string(text))
		}
		return codec.AppendString(b, "\ufffd") // an invalid id, whatever it is
	}
}

// unitOf is what a time of this type counts; 0 if it is no time.
func unitOf(t parquet.Type) time.Duration {
	if t.Kind() != parquet.Int64 {
		return 0
	}
	if l := t.LogicalType(); l != nil {
		if stamp, ok := l.Value.(*format.TimestampType); ok && stamp.Unit.Value != nil {
			return stamp.Unit.Value.Duration()
		}
	}
	if c := t.ConvertedType(); c != nil {
		switch *c {
		case deprecated.TimestampMillis:
			return time.Millisecond
		case deprecated.TimestampMicros:
			return time.Microsecond
		default:
		}
	}
	return 0
}

func appendTime(b []byte, t time.Time) []byte {
	return append(codec.AppendInstant(append(b, '"'), t.UnixMilli()), '"')
}

// unixDay is the Julian day of 1970-01-01.
const unixDay = 2440588

func julian(v deprecated.Int96) time.Time {
	nanos := int64(uint64(v[1])<<32 | uint64(v[0]))
	return time.Unix((int64(v[2])-unixDay)*24*60*60, nanos)
}

func appendNumber(b []byte, v parquet.Value) []byte {
	n := v.Double()
	if v.Kind() == parquet.Float {
		n = float64(v.Float())
	}
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, n, 'f', -1, 64)
}

func appendUUID(b, id []byte) []byte {
	if len(id) != len(core.EventID{}) {
		return append(b, "null"...)
	}
	return append(codec.AppendUUID(append(b, '"'), core.EventID(id)), '"')
}

// numbered is the content of a row with its number, from which its id is made.
func numbered(into []byte, row int64, content []byte) []byte {
	return append(binary.BigEndian.AppendUint64(into[:0], uint64(row)), content...)
}
