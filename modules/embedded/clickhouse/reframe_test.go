//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func reframe(block []byte, from, to framing) ([]byte, error) {
	r := &reframer{in: bufio.NewReaderSize(bytes.NewReader(block), 4096)}
	for {
		if _, err := r.in.Peek(1); err == io.EOF {
			return r.out, nil
		}
		if err := r.block(from, to); err != nil {
			return nil, err
		}
	}
}

func drawScalar(t *rapid.T) string {
	return rapid.SampledFrom([]string{
		"Int8", "Int16", "Int32", "Int64", "Int128", "Int256", "UInt8", "UInt16", "UInt32", "UInt64", "UInt128", "UInt256",
		"Float32", "Float64", "Bool", "String", "FixedString(5)", "UUID", "Date", "Date32", "DateTime", "DateTime('UTC')",
		"DateTime64(3)", "DateTime64(6, 'UTC')", "Enum8('a, (x' = 1, 'it''s' = -2)", "Enum16('b' = 1000)", "Decimal(9, 2)",
		"Decimal(18, 4)", "Decimal(38, 6)", "Decimal(76, 8)", "IPv4", "IPv6",
	}).Draw(t, "scalar")
}

func drawType(t *rapid.T, depth int) string {
	forms := []string{"scalar", "scalar", "nullable", "dictionary"}
	if depth > 0 {
		forms = append(forms, "array", "tuple", "named", "map")
	}
	switch rapid.SampledFrom(forms).Draw(t, "form") {
	case "nullable":
		return "Nullable(" + drawScalar(t) + ")"
	case "dictionary":
		return rapid.SampledFrom([]string{"LowCardinality(String)", "LowCardinality(Nullable(String))", "LowCardinality(FixedString(3))"}).Draw(t, "dictionary")
	case "array":
		return "Array(" + drawType(t, depth-1) + ")"
	case "tuple":
		return "Tuple(" + drawType(t, depth-1) + ", " + drawType(t, depth-1) + ")"
	case "named":
		return "Tuple(a " + drawType(t, depth-1) + ", `b c` " + drawType(t, depth-1) + ")"
	case "map":
		return "Map(" + rapid.SampledFrom([]string{"String", "LowCardinality(String)", "UInt64"}).Draw(t, "key") + ", " + drawType(t, depth-1) + ")"
	default:
		return drawScalar(t)
	}
}

func TestReframingThereAndBackChangesNothingWhateverTheTypes(t *testing.T) {
	s := ownSession(t)
	rapid.Check(t, func(t *rapid.T) {
		var structure []string
		for i := range rapid.IntRange(1, 4).Draw(t, "columns") {
			structure = append(structure, fmt.Sprintf("c%d %s", i, drawType(t, 3)))
		}
		sql := fmt.Sprintf("SELECT * FROM generateRandom(%s, %d, 12, 4) LIMIT %d",
			quoteString(strings.Join(structure, ", ")), rapid.Uint32().Draw(t, "seed"), rapid.SampledFrom([]int{1, 7, 300}).Draw(t, "rows"))
		r, err := s.exec(sql, "Native", nil)
		require.NoError(t, err, sql)
		defer r.free()
		wire, err := reframe(r.bytes(), nativeFormat, nativeWire)
		require.NoError(t, err, sql)
		back, err := reframe(wire, nativeWire, nativeFormat)
		require.NoError(t, err, sql)
		require.True(t, bytes.Equal(r.bytes(), back), sql)
	})
}

func TestABlockThatAsksForTooMuchIsRefusedBeforeMemoryIsReserved(t *testing.T) {
	const huge = "\xff\xff\xff\xff\xff\xff\xff\x7f"
	for name, block := range map[string]string{
		"columns":        huge + "\x01",
		"rows":           "\x01" + huge,
		"name":           "\x01\x01" + huge,
		"string":         "\x01\x01\x01a\x06String" + huge,
		"fixed strings":  "\x01\xff\xff\xff\x1f\x01a\x15FixedString(10000000)",
		"array":          "\x01\x01\x01a\x0cArray(UInt8)\xff\xff\xff\xff\xff\xff\xff\x7f",
		"dictionary":     "\x01\x01\x01a\x16LowCardinality(String)\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00" + huge,
		"type depth":     "\x01\x01\x01a\xe8\x07" + strings.Repeat("Array(", 142) + strings.Repeat(")", 148),
		"decimal":        "\x01\x01\x01a\x0cDecimal(77,1)",
		"unknown type":   "\x01\x01\x01a\x07Fooling",
		"unclosed types": "\x01\x01\x01a\x06Array(",
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := reframe([]byte(block), nativeFormat, nativeWire)
			runtime.ReadMemStats(&after)
			require.Error(t, err)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20))
		})
	}
}

func TestATruncatedBlockIsAnErrorWhereverItEnds(t *testing.T) {
	s := ownSession(t)
	r, err := s.exec("SELECT number, toString(number), [number], map('k', number), toLowCardinality('x'), (1, 'a') FROM numbers(3)", "Native", nil)
	require.NoError(t, err)
	defer r.free()
	whole := bytes.Clone(r.bytes())
	for n := 1; n < len(whole); n++ {
		_, err := reframe(whole[:n], nativeFormat, nativeWire)
		require.Error(t, err, n)
	}
}

func FuzzReframer(f *testing.F) {
	f.Add([]byte("\x01\x01\x01a\x06String\x01x"))
	f.Add([]byte("\x01\x02\x01a\x0cArray(UInt8)\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\x02"))
	f.Add([]byte("\x01\x01\x01a\x16LowCardinality(String)\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01x\x01\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, block []byte) {
		wire, err := reframe(block, nativeFormat, nativeWire)
		if err != nil {
			return
		}
		back, err := reframe(wire, nativeWire, nativeFormat)
		require.NoError(t, err)
		again, err := reframe(back, nativeFormat, nativeWire)
		require.NoError(t, err)
		require.Equal(t, wire, again)
	})
}
