package seed

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

func TestAWorldsNumbersHaveOneUUIDEach(t *testing.T) {
	k := Keys(core.UUIDKeys)
	require.NoError(t, k.check())
	require.Error(t, Keys(core.TextKeys).check())
	seen := map[core.ID]string{}
	for n := core.ID(1); n <= 2000; n++ {
		for _, key := range []core.Key{k.User(n), k.Post(n)} {
			id, err := uuid.Parse(key.Text)
			require.NoError(t, err)
			require.Equal(t, uuid.Version(4), id.Version())
			require.Equal(t, uuid.RFC4122, id.Variant())
			require.Equal(t, id.String(), key.Text)
			require.NotContains(t, seen, key.ID)
			seen[key.ID] = key.Text
		}
	}
	require.Equal(t, k.User(7), k.User(7))
	require.Equal(t, core.Key{ID: 7}, Keys("").Post(7))
}
