package guards_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/feed/guards"
)

func TestWithoutGuardsEveryCallIsMadeOnceAndThereIsRoomForAll(t *testing.T) {
	type key struct{}
	ctx, failure, calls := context.WithValue(t.Context(), key{}, "mine"), errors.New("refused"), 0
	err := guards.Unguarded{}.Do(ctx, func(ctx context.Context) error {
		calls++
		require.Equal(t, "mine", ctx.Value(key{}), "with the caller's context")
		return failure
	})
	require.Same(t, failure, err)
	require.Equal(t, 1, calls)

	var limiter guards.ComputeLimiter = guards.Unguarded{}
	for range 1000 {
		require.NoError(t, limiter.Compute())
	}
	require.False(t, limiter.Overloaded())
	limiter.Computed()
}
