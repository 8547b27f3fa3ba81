package pgvalue_test

import (
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/pgvalue"
)

func TestEveryTypeIsWrittenAsDebeziumWritesIt(t *testing.T) {
	for _, c := range []struct {
		oid        uint32
		text, want string
	}{
		{pgtype.BoolOID, "t", `true`},
		{pgtype.BoolOID, "f", `false`},
		{pgtype.Int8OID, "-9223372036854775808", `-9223372036854775808`},
		{pgtype.Float8OID, "1.5e+300", `1.5e+300`},
		{pgtype.Float8OID, "NaN", `"NaN"`},
		{pgtype.Float8OID, "-Infinity", `"-Infinity"`},
		{pgtype.NumericOID, "12.340", `"12.340"`},
		{pgtype.TimestampOID, "2026-11-01 10:00:00.123456", `1793527200123456`},
		{pgtype.TimestampOID, "infinity", `9214646399999999`},
		{pgtype.TimestampOID, "0044-03-15 00:00:00 BC", `-2208988800000000`},
		{pgtype.DateOID, "2026-11-01", `20758`},
		{pgtype.TimeOID, "10:00:00.5", `36000500000`},
		{pgtype.TimestamptzOID, "2026-11-01 10:00:00.1+00", `"2026-11-01T10:00:00.100000Z"`},
		{pgtype.TimestamptzOID, "-infinity", `"-infinity"`},
		{pgtype.TextOID, "a \"b\" \\ ü\n", `"a \"b\" \\ ü\n"`},
		{pgtype.JSONBOID, `{"a": 1}`, `"{\"a\": 1}"`},
		{pgtype.UUIDOID, "7b2c0a3e-0000-4000-8000-000000000001", `"7b2c0a3e-0000-4000-8000-000000000001"`},
		{pgtype.ByteaOID, `\x00ff`, `"AP8="`},
		{pgtype.Int8ArrayOID, "{1,NULL,3}", `[1,null,3]`},
		{pgtype.TextArrayOID, `{a,"b,\"c\\",NULL,"NULL",""}`, `["a","b,\"c\\",null,"NULL",""]`},
		{pgtype.Int4ArrayOID, "[0:1]={1,2}", `[1,2]`},
		{pgtype.Int4ArrayOID, "{{1,2},{3,4}}", `[[1,2],[3,4]]`},
		{pgtype.Int4ArrayOID, "{}", `[]`},
		{pgtype.Int4ArrayOID, "{1,", `"{1,"`},
		{999999, "an enum's word", `"an enum's word"`},
	} {
		got := string(pgvalue.JSON(c.oid, []byte(c.text)))
		require.Equal(t, c.want, got, "%d %s", c.oid, c.text)
		require.True(t, json.Valid([]byte(got)))
	}
	require.Equal(t, "null", string(pgvalue.JSON(pgtype.TextOID, nil)))
}

func FuzzTextIsAlwaysJSON(f *testing.F) {
	f.Add(uint32(pgtype.TextArrayOID), `{a,"b"}`)
	f.Add(uint32(pgtype.Float8OID), `0x1p-2`)
	f.Add(uint32(pgtype.TimestamptzOID), `2026-11-01 10:00:00+00`)
	f.Add(uint32(pgtype.Int4ArrayOID), `{{{{{{{1}}}}}}}`)
	f.Fuzz(func(t *testing.T, oid uint32, text string) {
		require.True(t, json.Valid(pgvalue.JSON(oid, []byte(text))), "%d %q", oid, text)
	})
}
