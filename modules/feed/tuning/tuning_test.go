package tuning_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/tuning"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) {
	stack.Main(m, embeddedtest.Only(embedded.ClickHouse, embedded.Postgres))
}

func replica(s *stack.Stack) (*tuning.Tuner, *rank.Live) {
	live := rank.NewLive(rank.DefaultConfig())
	return tuning.New(s.Postgres, live, rank.DefaultConfig(), zap.NewNop()), live
}

func weights(freshness float64) rank.Config {
	cfg := rank.DefaultConfig()
	cfg.Weights.Freshness = freshness
	return cfg
}

func TestAChangeReachesEveryReplicaAndCanBeRolledBack(t *testing.T) {
	s := stack.New(t)
	ctx := context.Background()
	one, _ := replica(s)
	two, live := replica(s)
	require.NoError(t, two.Start(ctx))
	defer func() { require.NoError(t, two.Stop(ctx)) }()

	changed, err := one.Change(ctx, tuning.Change{Over: 0, To: weights(0.9), By: "ana", Note: "fresher"})
	require.NoError(t, err)
	require.Equal(t, uint64(1), changed.Version)
	wait.Until(t, func() bool { return live.Get().Version == 1 }, "within 2 s")
	require.InDelta(t, 0.9, live.Get().Weights.Freshness, 0)

	file, err := one.At(ctx, 0)
	require.NoError(t, err)
	_, err = two.Change(ctx, tuning.Change{Over: 1, To: file, By: "ben", Note: "back"})
	require.NoError(t, err)
	past, err := one.History(ctx, 10)
	require.NoError(t, err)
	require.Len(t, past, 2)
	require.Equal(t, []string{"ben", "ana"}, []string{past[0].ChangedBy, past[1].ChangedBy})
	first, err := one.At(ctx, 1)
	require.NoError(t, err)
	require.InDelta(t, 0.9, first.Weights.Freshness, 0)
}

// A session began with a version that was in force while this replica was not there, or did not look.
func TestAReplicaKnowsTheVersionsThatWereInForceBeforeItLooked(t *testing.T) {
	s := stack.New(t)
	ctx := context.Background()
	one, _ := replica(s)
	for version := range uint64(3) {
		_, err := one.Change(ctx, tuning.Change{Over: version, To: weights(float64(version) / 10)})
		require.NoError(t, err)
	}
	late, live := replica(s)
	require.NoError(t, late.Sync(ctx))
	for version := uint64(1); version <= 3; version++ {
		require.Equal(t, version, live.At(version).Version)
		require.InDelta(t, float64(version-1)/10, live.At(version).Weights.Freshness, 0)
	}
	require.Equal(t, uint64(3), live.Get().Version)
	require.Zero(t, live.At(0).Version)
	require.Equal(t, uint64(3), live.At(77).Version, "nobody knows it: the one in force")
}

func TestAChangeOverAVersionThatIsNotInForceIsAConflict(t *testing.T) {
	s := stack.New(t)
	ctx := context.Background()
	one, _ := replica(s)
	two, _ := replica(s)
	_, err := one.Change(ctx, tuning.Change{Over: 0, To: weights(0.5)})
	require.NoError(t, err)
	_, err = two.Change(ctx, tuning.Change{Over: 0, To: weights(0.6)})
	require.Equal(t, core.CodeConflict, core.CodeOf(err))
}

func TestAConstantOutOfItsRangeIsRefusedByName(t *testing.T) {
	s := stack.New(t)
	one, live := replica(s)
	_, err := one.Change(context.Background(), tuning.Change{To: weights(-1)})
	require.Equal(t, core.CodeInvalidRequest, core.CodeOf(err))
	require.ErrorContains(t, err, "ranking.weights.freshness")
	require.Zero(t, live.Get().Version)
	_, err = one.At(context.Background(), 99)
	require.Equal(t, core.CodeInvalidRequest, core.CodeOf(err))
}
