package queries

import (
	"context"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
	"github.com/feedrank/feedrank/test/stack"
)

func TestTheNumbersOfKeysAreThoseThatCoreGives(t *testing.T) {
	s := stack.New(t)
	keys := append([]string{
		"1", "-1", "0", "-0", "+1", "01", "1.0", "4611686018427387903", "-4611686018427387903", "4611686018427387904",
		"-4611686018427387904", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
		"0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "a:b", "50%", "%41", "a+b c", "~",
		strings.Repeat("x", core.MaxKey),
	}, odd...)
	const hex = "0123456789ABCDEF"
	var row []string
	var want []int64
	for _, key := range keys {
		id, err := core.ParseID(key)
		if err != nil {
			continue
		}
		var escaped strings.Builder
		for _, c := range []byte(key) { // as in a row_key, and more than there
			escaped.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
		row, want = append(row, escaped.String()), append(want, int64(id))
	}
	require.Greater(t, len(row), 25)
	for _, analyzer := range []string{"0", "1"} {
		var numbers proto.ColInt64
		var got []int64
		require.NoError(t, s.ClickHouse.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
			Body:       "SELECT arrayJoin(" + sql.KeyNumbers + ") AS n FROM (SELECT {row_key:String} AS row_key)",
			Parameters: clickhouse.Params(map[string]any{"row_key": strings.Join(row, ":")}),
			Settings:   []ch.Setting{{Key: "enable_analyzer", Value: analyzer}},
			Result:     proto.Results{{Name: "n", Data: &numbers}},
			OnResult: func(context.Context, proto.Block) error {
				got = append(got, numbers...)
				return nil
			},
		}}))
		require.Equal(t, want, got)
	}
}
