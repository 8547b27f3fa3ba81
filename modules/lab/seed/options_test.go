package seed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/seed"
)

func TestTheDefaultOptionsAreValidThoughTheTimeIsLeftOpen(t *testing.T) {
	options := seed.DefaultOptions()
	require.True(t, options.World.Now.IsZero())
	require.NoError(t, options.Validate())
	options.CommitRows, options.World.Posts = 0, -1
	require.ErrorContains(t, options.Validate(), "commit rows")
	require.ErrorContains(t, options.Validate(), "posts")
}
