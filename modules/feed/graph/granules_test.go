package graph_test

import (
	"context"
	"regexp"
	"strconv"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
	"github.com/feedrank/feedrank/test/stack"
)

var granulesRead = regexp.MustCompile(`Granules: (\d+)/(\d+)`)

// TestAViewersRowsAreReadInAFewGranules holds the two reads of a computed feed to the viewer's own rows:
// in one part of 200,000 rows, what is read must not grow with the table. And it lies in one file.
func TestAViewersRowsAreReadInAFewGranules(t *testing.T) {
	s := stack.New(t)
	write(t, s, "INSERT INTO viewer_edges (viewer_id, kind, other_id, row_key, created_at, version, is_deleted) "+
		"SELECT intDiv(number, 50) + 1, 'follow', number + 1, toString(number), now64(6), number + 1, 0 FROM numbers(200000)")
	write(t, s, "INSERT INTO user_author_90d (user_id, author_id, day, kafka_partition, views, likes) "+
		"SELECT intDiv(number, 50) + 1, number %% 50 + 1, today(), 0, 1, 1 FROM numbers(200000)")
	var kinds proto.ColStr
	require.NoError(t, s.ClickHouse.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
		Body: "SELECT DISTINCT toString(part_type) AS kind FROM system.parts " +
			"WHERE active AND database = currentDatabase() AND table IN ('viewer_edges', 'user_author_90d')",
		Result: proto.Results{{Name: "kind", Data: &kinds}},
	}}))
	require.Equal(t, 1, kinds.Rows())
	require.Equal(t, "Compact", kinds.Row(0), "one file holds what a point read reads, though parts are large")
	for query, params := range map[string]map[string]any{
		"feed_viewer_edge_rows": {"viewer": 2000, "limit": 1000},
		"feed_viewer_act_rows":  {"viewer": 2000, "limit": 500},
		"feed_viewer_edges":     {"viewer": 2000, "limit": 1000},
		"feed_viewer_affinity":  {"viewer": 2000, "limit": 500, "days": graph.HideDays},
	} {
		var plan proto.ColStr
		text := ""
		require.NoError(t, s.ClickHouse.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
			Body: "EXPLAIN indexes = 1 " + sql.ClickHouse(query), Parameters: clickhouse.Params(params),
			Result: proto.Results{{Name: "explain", Data: &plan}},
			OnResult: func(context.Context, proto.Block) error {
				for i := range plan.Rows() {
					text += plan.Row(i) + "\n"
				}
				return nil
			},
		}}))
		found := granulesRead.FindAllStringSubmatch(text, -1)
		require.NotEmpty(t, found, text)
		last := found[len(found)-1] // after all indexes
		read, err := strconv.Atoi(last[1])
		require.NoError(t, err)
		require.LessOrEqual(t, read, 2, "%s: %s granules\n%s", query, last[0], text)
		total, err := strconv.Atoi(found[0][2])
		require.NoError(t, err)
		require.Greater(t, total, 50, "of so many")
	}
}
