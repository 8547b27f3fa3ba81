package deadletter

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPagesOfEachOrderHaveEveryLetterOnce(t *testing.T) {
	letters := func() (all []*Entry) {
		for i, reason := range []string{"malformed", "invalid", "malformed", "invalid", "too_old"} {
			e := &Entry{Bytes: []int{5, 9, 1, 9, 7}[i], position: int64(i)}
			e.Reason = reason
			all = append(all, e)
		}
		return all
	}
	for order, want := range map[Sort][]int64{
		Oldest: {0, 1, 2, 3, 4}, Newest: {4, 3, 2, 1, 0}, ByReason: {1, 3, 0, 2, 4}, Largest: {1, 3, 4, 0, 2},
	} {
		for size := 1; size <= 5; size++ {
			var got []int64
			for after, pages := int64(0), 0; ; pages++ {
				require.Less(t, pages, 6)
				all := letters()
				from := order.begin(all, after)
				if from < 0 {
					break
				}
				for _, e := range all[from:min(len(all), from+size)] {
					got = append(got, e.position)
				}
				if from+size >= len(all) {
					break
				}
				after = order.next(all, from+size)
			}
			require.Equal(t, want, got, "%q, %d of a page", order, size)
		}
	}
	all := letters()[:3] // the fourth and fifth were dealt with since a page of the newest
	require.Equal(t, 0, Newest.begin(all, 4))
	require.Equal(t, -1, ByReason.begin(letters(), 9))
}
