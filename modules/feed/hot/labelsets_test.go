package hot

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

func TestASetOfLabelsHasOneNumberAsLongAsItIsUsed(t *testing.T) {
	sets, now := newLabelSets(), time.Date(2026, 5, 8, 12, 0, 0, 0, time.UTC)
	require.Zero(t, sets.number(""))
	require.Equal(t, core.Labels(""), sets.of(0))
	german, english := core.LabelsOf[core.ID](1), core.LabelsOf[core.ID](2)
	a, b := sets.number(german), sets.number(english)
	require.NotEqual(t, a, b)
	require.Equal(t, a, sets.number(german))

	used := map[LabelSet]bool{a: true}
	sets.keep(used, now)
	sets.keep(used, now.Add(unusedFor-1))
	require.Equal(t, 2, sets.len(), "somebody may hold a copy of a post")
	require.Equal(t, english, sets.of(b))
	require.Equal(t, b, sets.number(english), "it is used again")
	sets.keep(used, now.Add(unusedFor))
	require.Equal(t, 2, sets.len())
	sets.keep(used, now.Add(2*unusedFor))
	require.Equal(t, 1, sets.len())

	french := core.LabelsOf[core.ID](3)
	require.Equal(t, b, sets.number(french), "numbers are used again, so that there are not ever more")
	require.Equal(t, french, sets.of(b))
	require.Equal(t, german, sets.of(a))
}

// TestSetsOfLabelsAreReadWhileOthersAreMade is for the race detector.
func TestSetsOfLabelsAreReadWhileOthersAreMade(t *testing.T) {
	sets := newLabelSets()
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 1000 {
				labels := core.LabelsOf(core.ID(i+1), core.ID(worker+2000))
				if got := sets.of(sets.number(labels)); got != labels {
					t.Errorf("%v, want %v", got.IDs(), labels.IDs())
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, 4000, sets.len())
}
