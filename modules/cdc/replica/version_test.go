package replica

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestVersionsFollowTheOrderOfTheLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e1, e2 := rapid.Uint16().Draw(t, "e1"), rapid.Uint16().Draw(t, "e2")
		o1, o2 := rapid.Int64Range(0, maxOffset).Draw(t, "o1"), rapid.Int64Range(0, maxOffset).Draw(t, "o2")
		v1, err := VersionOf(e1, o1)
		require.NoError(t, err)
		v2, err := VersionOf(e2, o2)
		require.NoError(t, err)
		require.Equal(t, e1 < e2 || (e1 == e2 && o1 < o2), v1 < v2)
		d := v1
		for range rapid.IntRange(0, 300).Draw(t, "derivations") {
			d = d.Derived()
		}
		require.Equal(t, v1, d.Record())
		if v1 < v2 {
			require.Less(t, d, v2, "what is derived never beats the next record")
		}
	})
	_, err := VersionOf(0, maxOffset+1)
	require.Error(t, err)
}
