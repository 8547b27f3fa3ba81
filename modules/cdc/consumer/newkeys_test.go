package consumer

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAKeyThatWasWrittenIsNeverTakenForANewOne(t *testing.T) {
	u := newKeyFilter()
	const keys = 200_000
	mistaken := 0
	for i := range keys {
		if !u.first(strconv.Itoa(i)) {
			mistaken++
		}
	}
	require.Less(t, mistaken, keys/1000, "so seldom a look-up is made in vain")
	for i := range keys {
		require.False(t, u.first(strconv.Itoa(i)))
	}
	var none *keyFilter
	require.False(t, none.first("a copy that had rows"))
}
