package quality

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

func TestTheFiguresAreWhatTheirNamesSay(t *testing.T) {
	gains := map[core.ID]float64{1: 3, 2: 1}
	require.InDelta(t, 1, ndcg([]core.ID{1, 2, 9}, gains), 1e-9, "the best order")
	require.Less(t, ndcg([]core.ID{2, 1, 9}, gains), 1.0)
	require.Greater(t, ndcg([]core.ID{2, 1, 9}, gains), ndcg([]core.ID{9, 2, 1}, gains))
	require.Zero(t, ndcg([]core.ID{9}, gains))
	require.InDelta(t, 1, hits([]core.ID{9, 2}, gains), 0)
	require.Zero(t, hits([]core.ID{9}, gains))
	require.InDelta(t, 0.5, overlap([]core.ID{1, 2}, []core.ID{2, 3, 4}), 1e-9)
	require.Zero(t, gini([]int{4, 4, 4}))
	require.InDelta(t, 0.75, gini([]int{0, 0, 0, 8}), 1e-9)
}
