package dedup

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/counting"
	"github.com/feedrank/feedrank/modules/events/ledger"
)

// TestWhatWasDecidedStands has an owner find a like in the raw table that counted nothing: another like came before
// it then, which counts nothing now, because the post was hidden meanwhile. So nobody likes the post.
func TestWhatWasDecidedStands(t *testing.T) {
	s := NewStates(DefaultConfig(), false, NewIDs(DefaultConfig(), nil, someCounts()))
	row := func(offset int64, action core.Action, r ledger.Row) ledger.Row {
		r.Event = codec.Event{User: 1, Post: 2, Action: action, Occurred: 1000 + offset, Received: 1000 + offset}
		r.Offset = offset
		return r
	}
	rows := []ledger.Row{
		row(1, core.ActionLike, ledger.Row{Effect: 0, Verdict: counting.NotVisible}),
		row(2, core.ActionLike, ledger.Row{Effect: 0, Verdict: counting.Repeated, Present: true}),
		row(3, core.ActionUnlike, ledger.Row{Effect: 1, Verdict: counting.Counted}),
		row(4, core.ActionLike, ledger.Row{Effect: 1, Verdict: counting.Counted}),
	}
	require.NoError(t, s.Prepare(t.Context(), rows, 1))
	s.Decide(rows)
	effects, verdicts := make([]int8, 0, len(rows)), make([]counting.Verdict, 0, len(rows))
	for _, r := range rows {
		effects, verdicts = append(effects, r.Effect), append(verdicts, r.Verdict)
	}
	require.Equal(t, []int8{0, 0, 0, 1}, effects)
	require.Equal(t, []counting.Verdict{
		counting.NotVisible, counting.Repeated, counting.Repeated, counting.Counted,
	}, verdicts)
}
