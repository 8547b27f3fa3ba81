package candidates

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Bounds of waiting for what another goroutine does.
const (
	waitFor = 10 * time.Second
	tick    = time.Millisecond
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAPostThatSeveralSourcesOfferIsThereOnceAndSaysWho(t *testing.T) {
	r := &reserve.Reserve{Authors: normalize([]reserve.Author{{ID: 30, Relation: reserve.Follows}})}
	posts := merge(r, []fetched{
		{source{bit: reserve.Followee}, []hot.Post{{ID: 1, Author: 30}, {ID: 2, Author: 30}}},
		{source{bit: reserve.Trending}, []hot.Post{{ID: 2, Author: 30}, {ID: 3, Author: 20}}},
	})
	require.Len(t, posts, 3)
	for i, want := range []struct {
		post, author core.ID
		source       reserve.Source
	}{{1, 30, reserve.Followee}, {2, 30, reserve.Followee | reserve.Trending}, {3, 20, reserve.Trending}} {
		require.Equal(t, want.post, posts[i].post.ID)
		require.Equal(t, want.source, posts[i].source)
		require.Equal(t, want.author, r.Authors[posts[i].author].ID, "its number is of the reserve's authors")
	}
	require.Equal(t, []reserve.Author{{ID: 20}, {ID: 30, Relation: reserve.Follows}}, r.Authors)
}

func TestRowsOfAnAuthorAreOneAndAFollowThatStandsOutweighsOneThatEnded(t *testing.T) {
	require.Equal(t, []reserve.Author{
		{ID: 2, Relation: reserve.Follows | reserve.Mutes, Interactions: 3},
		{ID: 3, Relation: reserve.Unfollowed},
	}, normalize([]reserve.Author{
		{ID: 3, Relation: reserve.Unfollowed},
		{ID: 2, Relation: reserve.Unfollowed},
		{ID: 0, Interactions: 9}, // names nobody
		{ID: 2, Relation: reserve.Follows, Interactions: 1},
		{ID: 2, Relation: reserve.Mutes, Interactions: 2},
	}))
}

func TestWhoAsksWhileAComputationRunsWaitsForItAndTheNextBeginsAnew(t *testing.T) {
	workers := worker.NewGroup(worker.FailureFunc(func(string, error) {}))
	defer func() { require.NoError(t, workers.Stop(context.Background())) }()
	group := newSingleflight(workers)
	release, ran := make(chan struct{}), atomic.Int64{}
	saved := make(chan *Built, 10)
	key := flightKey{viewer: 1}
	join := func(key flightKey) *Flight {
		return group.join(t.Context(), key, func(context.Context) (*Built, error) {
			<-release
			return &Built{Order: []core.ID{core.ID(ran.Add(1))}}, nil
		}, func(_ context.Context, b *Built) { saved <- b })
	}
	first := join(key)
	require.Same(t, first, join(key))
	require.Same(t, first, group.find(key))
	other := join(flightKey{viewer: 1, ahead: true})
	require.NotSame(t, first, other)
	require.Equal(t, 2, group.under())

	ctx, cancel := context.WithCancelCause(t.Context())
	impatient := errors.New("the budget is used up")
	cancel(impatient)
	_, err := first.Wait(ctx)
	require.ErrorIs(t, err, impatient, "it goes on without them")

	close(release)
	built, err := first.Wait(t.Context())
	require.NoError(t, err)
	_, err = other.Wait(t.Context())
	require.NoError(t, err)
	require.Len(t, built.Order, 1)
	<-saved
	<-saved
	require.Eventually(t, func() bool { return group.under() == 0 }, waitFor, tick)
	require.NotSame(t, first, join(key))
	<-saved
	require.EqualValues(t, 3, ran.Load())
}

func TestAComputationThatPanicsOrFailsIsAnErrorAndNothingIsSaved(t *testing.T) {
	workers := worker.NewGroup(worker.FailureFunc(func(string, error) {}))
	defer func() { _ = workers.Stop(context.Background()) }() // it may tell of the panic
	group := newSingleflight(workers)
	save := func(context.Context, *Built) { t.Error("there is nothing to save") }
	_, err := group.join(t.Context(), flightKey{viewer: 1}, func(context.Context) (*Built, error) { panic("a bug") },
		save).Wait(t.Context())
	require.ErrorIs(t, err, errFlightPanicked)
	failure := errors.New("away")
	_, err = group.join(t.Context(), flightKey{viewer: 2},
		func(context.Context) (*Built, error) { return nil, failure }, save).Wait(t.Context())
	require.ErrorIs(t, err, failure)
	require.Eventually(t, func() bool { return group.under() == 0 }, waitFor, tick)
}
