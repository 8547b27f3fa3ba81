package store_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestHidesThatRedisDidNotTakeAreWrittenWhenItDoes(t *testing.T) {
	servers := embeddedtest.Own(t, embedded.Redis)
	config := redis.DefaultConfig()
	config.Addrs = []string{servers.Redis.Addr()}
	client := stack.Redis(t, config)
	cfg := store.DefaultConfig()
	cfg.WriteFor = 100 * time.Millisecond
	s := store.New(cfg, client)
	require.NoError(t, servers.Redis.Kill())
	for viewer := range core.ID(3) {
		require.Error(t, s.MarkHidden(t.Context(), []store.Mark{{User: viewer + 1, Post: 7, At: time.Now()}}))
	}
	require.Equal(t, 3, s.Owed())

	// More than can be remembered: everybody's are asked for anew, once Redis takes what is owed.
	require.Error(t, s.MarkHidden(t.Context(), make([]store.Mark, 1<<16)))
	require.Equal(t, 3, s.Owed())
	var asked atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- s.Pay(ctx, func(context.Context) error {
			asked.Add(1)
			return nil
		})
	}()
	require.NoError(t, servers.Redis.Start(t.Context()))
	wait.Until(t, func() bool { return asked.Load() == 1 })
	cancel()
	require.NoError(t, <-ended)
	require.Zero(t, s.Owed())
	for viewer := range core.ID(3) {
		state, err := s.Load(t.Context(), viewer+1)
		require.NoError(t, err)
		require.Len(t, state.Hidden, 12)
	}
}
