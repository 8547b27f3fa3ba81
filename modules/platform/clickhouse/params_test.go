package clickhouse_test

import (
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// odd are texts that mean something to one of those who read a parameter on its way.
func odd() []string {
	return []string{
		"", "plain", "it's", `'`, `''`, `"`, "`", `\`, `\\`, `\'`, `'\`, `\N`, `\t`, "a\tb", "a\nb", "a\rb", "\b\f\v",
		"\x00", "a\x00b",
		"🦊", "é", "\xff\xfe", "[1,2]", "['a']", "(1)", "{x:String}", "NULL", "null", "' OR 1 = 1 --", "a,b", "%_",
		"\u2028", "/* */ -- ;", "7:'8", " lead and trail ",
	}
}

func TestParametersAreQuotedForTheProtocol(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{"plain", `'plain'`},
		{"it's", `'it\'s'`},
		{`\`, `'\\\\'`}, // once as in a tab-separated file, and once within quotes
		{"a\tb\nc\x00d", `'a\\tb\\nc\\0d'`},
		{"🦊", `'🦊'`},
		{int64(-7), `'-7'`},
		{uint64(18446744073709551615), `'18446744073709551615'`},
		{core.ID(42), `'42'`},
		{true, `'true'`},
		{0.25, `'0.25'`},
		{1e-9, `'0.000000001'`},
		{uuid.MustParse("018f0000-0000-7000-8000-000000000001"), `'018f0000-0000-7000-8000-000000000001'`},
		{clickhouse.Identifier(`odd'ta\ble`), `'odd\'ta\\ble'`},
		{clickhouse.Literal(`[(1,'a\'b')]`), `'[(1,\'a\\\'b\')]'`},
		{[]string{"a", "it's", `\`}, `'[\'a\',\'it\\\'s\',\'\\\\\']'`},
		{[]string(nil), `'[]'`},
		{[]core.ID{1, 2}, `'[1,2]'`},
		{[]int{1, 2}, `'[1,2]'`},
		{[]uint16{1, 2}, `'[1,2]'`},
		{[][]int64{{1}, {2, 3}}, `'[[1],[2,3]]'`},
	} {
		require.Equal(t, clickhouse.Parameter{Key: "p", Value: c.want}, clickhouse.Param("p", c.value), "%#v", c.value)
	}
}

func TestParametersComeInTheOrderOfTheirNames(t *testing.T) {
	require.Equal(t, []clickhouse.Parameter{{Key: "a", Value: "'2'"}, {Key: "b", Value: "'1'"}},
		clickhouse.Params(map[string]any{"b": 1, "a": 2}))
	require.Empty(t, clickhouse.Params(nil))
}

func TestOddTextReachesTheServerAsItIs(t *testing.T) {
	c := client(t, embeddedtest.Stack(t))
	for _, s := range odd() {
		var got proto.ColStr
		require.NoError(t, c.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
			Body: "SELECT {s:String} AS s", Parameters: clickhouse.Params(map[string]any{"s": s}),
			Result: proto.Results{{Name: "s", Data: &got}},
		}}), "%q", s)
		require.Equal(t, s, got.Row(0), "%q", s)
	}
	got := new(proto.ColStr).Array()
	require.NoError(t, c.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
		Body: "SELECT {all:Array(String)} AS s", Parameters: clickhouse.Params(map[string]any{"all": odd()}),
		Result: proto.Results{{Name: "s", Data: got}},
	}}))
	require.Equal(t, odd(), got.Row(0))
}

func TestOddNamesReachTheServerAsTheyAre(t *testing.T) {
	c := client(t, embeddedtest.Stack(t))
	ask := func(body string, params map[string]any, result proto.Results) {
		t.Helper()
		require.NoError(t, c.Write(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
			Body: body, Parameters: clickhouse.Params(params), Result: result,
		}}))
	}
	for _, name := range []string{"plain", "it's", `back\slash`, "ta\tb", "🦊", "back`tick", `"quoted"`, "a.b"} {
		var n proto.ColInt64
		as := map[string]any{"column": clickhouse.Identifier(name)}
		ask("SELECT {column:Identifier} AS n FROM (SELECT toInt64(7) AS `"+escaped(name)+"`)", as,
			proto.Results{{Name: "n", Data: &n}})
		require.EqualValues(t, 7, n.Row(0), name)
	}
}

func TestNumbersAndTuplesReachTheServerAsTheyAre(t *testing.T) {
	c := client(t, embeddedtest.Stack(t))
	var small proto.ColInt64
	var large proto.ColUInt64
	var fraction proto.ColFloat64
	var truth proto.ColBool
	var found proto.ColUInt64
	one, other := uuid.New(), uuid.New()
	tuple := clickhouse.AppendQuoted([]byte("[(1,"), one.String())
	tuple = append(clickhouse.AppendQuoted(append(tuple, "),(2,"...), other.String()), ")]"...)
	require.NoError(t, c.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
		Body: `SELECT {small:Int64} AS small, {large:UInt64} AS large, {fraction:Float64} AS fraction,
			{truth:Bool} AS truth,
			toUInt64(length({tuples:Array(Tuple(Int64, UUID))}) + length({days:Array(Date)})
				+ length({ids:Array(Int64)})
				+ ((2, {id:UUID}) IN {tuples:Array(Tuple(Int64, UUID))})) AS found`,
		Parameters: clickhouse.Params(map[string]any{
			"small": int64(-1 << 63), "large": uint64(1<<64 - 1), "fraction": 1e-9, "truth": true, "id": other,
			"tuples": clickhouse.Literal(tuple), "days": []string{"1970-01-01", "2026-02-28"},
			"ids": []core.ID{1, 1<<63 - 1},
		}),
		Result: proto.Results{
			{Name: "small", Data: &small},
			{Name: "large", Data: &large},
			{Name: "fraction", Data: &fraction},
			{Name: "truth", Data: &truth},
			{Name: "found", Data: &found},
		},
	}}))
	require.EqualValues(t, -1<<63, small.Row(0))
	require.EqualValues(t, uint64(1<<64-1), large.Row(0))
	require.InDelta(t, 1e-9, fraction.Row(0), 0)
	require.True(t, truth.Row(0))
	require.EqualValues(t, 2+2+2+1, found.Row(0))
}

// escaped is a name within backticks.
func escaped(name string) string {
	var b []byte
	for _, c := range []byte(name) {
		if c == '`' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return string(b)
}
