//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"
)

// named gives a column the type that the server calls it, where ch-go has no such name: it compares names before it decodes.
type named struct {
	proto.Column
	name proto.ColumnType
}

func (n named) Type() proto.ColumnType { return n.name }

func (n named) DecodeState(r *proto.Reader) error {
	if s, ok := n.Column.(proto.StateDecoder); ok {
		return s.DecodeState(r)
	}
	return nil
}

func (n named) EncodeState(b *proto.Buffer) {
	if s, ok := n.Column.(proto.StateEncoder); ok {
		s.EncodeState(b)
	}
}

func (n named) Prepare() error {
	if p, ok := n.Column.(proto.Preparable); ok {
		return p.Prepare()
	}
	return nil
}

// typeCase is a type with values as SQL writes them, and the column of ch-go that carries it.
type typeCase struct {
	name   string
	values []string
	column func() proto.Column
	auto   bool // whether ch-go infers its column from the name
}

func typeCases() []typeCase {
	of := func(c func() proto.Column) func() proto.Column { return c }
	return []typeCase{
		{"Int8", []string{"-128", "0", "127"}, of(func() proto.Column { return new(proto.ColInt8) }), true},
		{"Int16", []string{"-32768", "0", "32767"}, of(func() proto.Column { return new(proto.ColInt16) }), true},
		{"Int32", []string{"-2147483648", "0", "2147483647"}, of(func() proto.Column { return new(proto.ColInt32) }), true},
		{"Int64", []string{"-9223372036854775808", "0", "9223372036854775807"}, of(func() proto.Column { return new(proto.ColInt64) }), true},
		{"Int128", []string{"-170141183460469231731687303715884105728", "-1", "5"}, of(func() proto.Column { return new(proto.ColInt128) }), true},
		{"UInt8", []string{"0", "255"}, of(func() proto.Column { return new(proto.ColUInt8) }), true},
		{"UInt16", []string{"0", "65535"}, of(func() proto.Column { return new(proto.ColUInt16) }), true},
		{"UInt32", []string{"0", "4294967295"}, of(func() proto.Column { return new(proto.ColUInt32) }), true},
		{"UInt64", []string{"0", "18446744073709551615"}, of(func() proto.Column { return new(proto.ColUInt64) }), true},
		{"UInt128", []string{"0", "340282366920938463463374607431768211455"}, of(func() proto.Column { return new(proto.ColUInt128) }), true},
		{"Float32", []string{"1.5", "-0.25", "inf", "nan"}, of(func() proto.Column { return new(proto.ColFloat32) }), true},
		{"Float64", []string{"1e300", "-0.1", "-inf"}, of(func() proto.Column { return new(proto.ColFloat64) }), true},
		{"Bool", []string{"true", "false"}, of(func() proto.Column { return new(proto.ColBool) }), true},
		{"String", []string{"''", "'short'", `'zero\0byte'`, "repeat('long ', 60000)", "'ünïcødé'"}, of(func() proto.Column { return new(proto.ColStr) }), true},
		{"FixedString(8)", []string{"'12345678'", "'abc'"}, of(func() proto.Column { return &proto.ColFixedStr{Size: 8} }), true},
		{"UUID", []string{"'61f0c404-5cb3-11e7-907b-a6006ad3dba0'", "'00000000-0000-0000-0000-000000000000'"}, of(func() proto.Column { return new(proto.ColUUID) }), true},
		{"Date", []string{"'1970-01-01'", "'2149-06-06'"}, of(func() proto.Column { return new(proto.ColDate) }), true},
		{"Date32", []string{"'1900-01-01'", "'2299-12-31'"}, of(func() proto.Column { return new(proto.ColDate32) }), true},
		{"DateTime('UTC')", []string{"'1970-01-01 00:00:00'", "'2106-02-07 06:28:15'"}, of(func() proto.Column { return new(proto.ColDateTime) }), true},
		{"DateTime64(3, 'UTC')", []string{"'1970-01-01 00:00:00.001'", "'2100-01-01 12:34:56.789'"}, of(func() proto.Column {
			return new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli)
		}), true},
		{"DateTime64(6, 'UTC')", []string{"'1970-01-01 00:00:00.000001'", "'2100-01-01 12:34:56.789012'"}, of(func() proto.Column {
			return new(proto.ColDateTime64).WithPrecision(proto.PrecisionMicro)
		}), true},
		{"Enum8('view' = 1, 'it''s, (odd)' = -2)", []string{"'view'", "'it\\'s, (odd)'"}, of(func() proto.Column {
			return named{new(proto.ColEnum8), "Enum8('it\\'s, (odd)' = -2, 'view' = 1)"}
		}), false},
		{"Enum8('view' = 1, 'like' = 2)", []string{"'view'", "'like'"}, of(func() proto.Column { return new(proto.ColEnum) }), true},
		{"Enum16('b' = -5, 'a' = 1000)", []string{"'a'", "'b'"}, of(func() proto.Column { return new(proto.ColEnum) }), true},
		{"LowCardinality(String)", []string{"'ios'", "'web'", "''", "'ios'"}, of(func() proto.Column { return new(proto.ColStr).LowCardinality() }), true},
		{"Nullable(String)", []string{"NULL", "'x'", "''"}, of(func() proto.Column { return new(proto.ColStr).Nullable() }), true},
		{"Nullable(Int64)", []string{"NULL", "-7"}, of(func() proto.Column { return new(proto.ColInt64).Nullable() }), true},
		{"Nullable(DateTime64(3, 'UTC'))", []string{"NULL", "'2026-01-01 00:00:00.123'"}, of(func() proto.Column {
			return new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli).Nullable()
		}), false},
		{"Array(UInt64)", []string{"[]", "[1, 2, 3]"}, of(func() proto.Column { return new(proto.ColUInt64).Array() }), true},
		{"Array(LowCardinality(String))", []string{"['a', 'b', 'a']", "[]"}, of(func() proto.Column { return new(proto.ColStr).LowCardinality().Array() }), true},
		{"Array(Nullable(String))", []string{"[NULL, 'b']", "[]"}, of(func() proto.Column { return new(proto.ColStr).Nullable().Array() }), true},
		{"Array(Array(UInt8))", []string{"[[1], [], [2, 3]]", "[]"}, of(func() proto.Column { return proto.NewArray(new(proto.ColUInt8).Array()) }), false},
		{"Map(String, UInt64)", []string{"map()", "map('a', 1, 'b', 2)"}, of(func() proto.Column { return proto.NewMap(new(proto.ColStr), new(proto.ColUInt64)) }), false},
		{"Map(LowCardinality(String), Array(String))", []string{"map('a', ['x', 'y'])"}, of(func() proto.Column {
			return proto.NewMap(new(proto.ColStr).LowCardinality(), new(proto.ColStr).Array())
		}), false},
		{"Tuple(String, Int64)", []string{"('a', -1)", "('', 0)"}, of(func() proto.Column { return proto.ColTuple{new(proto.ColStr), new(proto.ColInt64)} }), false},
		{"Tuple(name String, n Int64)", []string{"('a', -1)"}, of(func() proto.Column {
			return named{proto.ColTuple{new(proto.ColStr), new(proto.ColInt64)}, "Tuple(name String, n Int64)"}
		}), false},
		{"SimpleAggregateFunction(sum, Int64)", []string{"-5", "9"}, of(func() proto.Column {
			return named{new(proto.ColInt64), "SimpleAggregateFunction(sum, Int64)"}
		}), false},
		{"Decimal(9, 2)", []string{"1234567.89", "-0.01"}, of(func() proto.Column { return named{new(proto.ColDecimal32), "Decimal(9, 2)"} }), false},
		{"Decimal(18, 4)", []string{"-99999999999999.9999"}, of(func() proto.Column { return named{new(proto.ColDecimal64), "Decimal(18, 4)"} }), false},
		{"Decimal(38, 6)", []string{"12345678901234567890.123456"}, of(func() proto.Column { return named{new(proto.ColDecimal128), "Decimal(38, 6)"} }), false},
		{"IPv4", []string{"'127.0.0.1'", "'255.255.255.255'"}, of(func() proto.Column { return new(proto.ColIPv4) }), true},
		{"IPv6", []string{"'::1'", "'2001:db8::ff00:42:8329'"}, of(func() proto.Column { return new(proto.ColIPv6) }), true},
	}
}

func compressions() map[string]ch.Compression {
	return map[string]ch.Compression{
		"disabled": ch.CompressionDisabled, "none": ch.CompressionNone, "lz4": ch.CompressionLZ4, "zstd": ch.CompressionZSTD,
	}
}

// What SQL wrote is read through ch-go, inserted through ch-go, and compared by the engine itself, as text and by value.
func TestEveryColumnTypeIsReadAndInsertedWithoutChange(t *testing.T) {
	clients := map[string]*ch.Client{}
	for name, compression := range compressions() {
		clients[name] = dial(t, func(o *ch.Options) { o.Compression = compression })
	}
	for _, tc := range typeCases() {
		t.Run(tc.name, func(t *testing.T) {
			c := clients["disabled"]
			for _, name := range []string{"types_src", "types_dst"} {
				do(t, c, "DROP TABLE IF EXISTS "+name)
				do(t, c, fmt.Sprintf("CREATE TABLE %s (n UInt32, through String, v %s) ENGINE = MergeTree ORDER BY n", name, tc.name))
			}
			rows := make([]string, len(tc.values))
			for i, v := range tc.values {
				rows[i] = fmt.Sprintf("(%d, 'sql', %s)", i, v)
			}
			do(t, c, "INSERT INTO types_src VALUES "+strings.Join(rows, ", "))
			for name, client := range clients {
				roundTrip(t, client, name, tc)
			}
		})
	}
}

func roundTrip(t *testing.T, c *ch.Client, through string, tc typeCase) {
	t.Helper()
	ctx := context.Background()
	n, v := new(proto.ColUInt32), tc.column()
	require.NoError(t, c.Do(ctx, ch.Query{
		Body:   "SELECT n, v FROM types_src ORDER BY n",
		Result: proto.Results{{Name: "n", Data: n}, {Name: "v", Data: v}},
	}), through)
	require.Equal(t, len(tc.values), v.Rows(), through)

	name := new(proto.ColStr)
	for range tc.values {
		name.Append(through)
	}
	input := proto.Input{{Name: "n", Data: n}, {Name: "through", Data: name}, {Name: "v", Data: v}}
	require.NoError(t, c.Do(ctx, ch.Query{Body: input.Into("types_dst"), Input: input}), through)
	for _, of := range []string{"toString(v)", "reinterpretAsString(cityHash64(v))"} {
		src := text(t, c, "SELECT toString(groupArray("+of+")) FROM (SELECT v FROM types_src ORDER BY n)")
		dst := text(t, c, "SELECT toString(groupArray("+of+")) FROM (SELECT v FROM types_dst WHERE through = '"+through+"' ORDER BY n)")
		require.Equal(t, src, dst, through)
	}
	if !tc.auto {
		return
	}
	var auto proto.Results
	require.NoError(t, c.Do(ctx, ch.Query{Body: "SELECT v FROM types_src ORDER BY n", Result: auto.Auto()}), through)
	require.Equal(t, tc.name, string(auto[0].Data.Type()), "ch-go is told the type's full name")
}

// text runs a query that returns one string.
func text(t testing.TB, c *ch.Client, body string) string {
	t.Helper()
	var s proto.ColStr
	require.NoError(t, c.Do(context.Background(), ch.Query{Body: body, Result: proto.Results{{Data: &s}}}), body)
	require.Equal(t, 1, s.Rows(), body)
	return s.Row(0)
}

// number runs a query that returns one UInt64.
func number(t testing.TB, c *ch.Client, body string) uint64 {
	t.Helper()
	var n proto.ColUInt64
	require.NoError(t, c.Do(context.Background(), ch.Query{Body: body, Result: proto.Results{{Data: &n}}}), body)
	require.Equal(t, 1, n.Rows(), body)
	return n.Row(0)
}
