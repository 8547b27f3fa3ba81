package admission

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newGate(places int, change ...func(*Config)) *Gate {
	cfg := DefaultConfig()
	cfg.MaxConcurrent, cfg.MinConcurrent, cfg.MaxWait = places, 4, time.Minute
	for _, f := range change {
		f(&cfg)
	}
	return New(cfg, core.SystemClock{}, prometheus.NewRegistry())
}

func noWait(cfg *Config) { cfg.MaxWait = 0 }

// enters begins a request that waits, and gives its outcome.
func (g *Gate) enters(ctx context.Context, class Class) chan error {
	out := make(chan error, 1)
	before := g.waitingCount()
	go func() { out <- g.Enter(ctx, class) }()
	for g.waitingCount() == before && len(out) == 0 {
		runtime.Gosched()
	}
	return out
}

func (g *Gate) waitingCount() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waitingNow()
}

func TestFeedsMayUseEveryPlaceOtherCallsThreeQuartersAndComputingHalf(t *testing.T) {
	g := newGate(8, noWait)
	for range 6 {
		require.NoError(t, g.Enter(t.Context(), Call))
	}
	err := g.Enter(t.Context(), Call)
	require.Equal(t, core.CodeOverloaded, core.CodeOf(err))
	for range 2 {
		require.NoError(t, g.Enter(t.Context(), Feed))
	}
	require.Error(t, g.Enter(t.Context(), Feed))
	for range 4 {
		require.NoError(t, g.Compute())
	}
	require.Equal(t, core.CodeOverloaded, core.CodeOf(g.Compute()))
	g.Computed()
	require.NoError(t, g.Compute())
	require.InDelta(t, 1, testutil.ToFloat64(g.refused.WithLabelValues("computing")), 0)
	require.InDelta(t, 1, testutil.ToFloat64(g.refused.WithLabelValues("feed")), 0)
}

func TestWhoIsRefusedIsToldWhenToComeBackNotAllAtOnce(t *testing.T) {
	g := newGate(4, noWait)
	for range 4 {
		require.NoError(t, g.Enter(t.Context(), Feed))
	}
	seen := map[time.Duration]bool{}
	for range 20 {
		var told *core.Error
		require.ErrorAs(t, g.Enter(t.Context(), Feed), &told)
		require.GreaterOrEqual(t, told.RetryAfter, time.Second)
		require.LessOrEqual(t, told.RetryAfter, 2*time.Second)
		seen[told.RetryAfter] = true
	}
	require.Greater(t, len(seen), 10)
}

func TestAPlaceGoesToTheMostUrgentAndAmongTheseToTheLatest(t *testing.T) {
	g := newGate(4)
	for range 4 {
		require.NoError(t, g.Enter(t.Context(), Feed))
	}
	call := g.enters(t.Context(), Call)
	early := g.enters(t.Context(), Feed)
	late := g.enters(t.Context(), Feed)
	g.Leave()
	select {
	case err := <-late:
		require.NoError(t, err)
	case err := <-early:
		require.Fail(t, "who came first has the place", "%v", err)
	}
	require.Empty(t, early)
	g.Leave()
	require.NoError(t, <-early)
	g.Leave() // three are inside: a call may not have the fourth place
	require.Empty(t, call)
	g.Leave()
	require.NoError(t, <-call)
}

func TestTheQueueIsBoundedAndTheOldestOfTheLeastUrgentMakesRoom(t *testing.T) {
	g := newGate(4, func(cfg *Config) { cfg.MaxWaiting = 2 })
	for range 4 {
		require.NoError(t, g.Enter(t.Context(), Feed))
	}
	feed := g.enters(t.Context(), Feed)
	call := g.enters(t.Context(), Call)
	done := make(chan error, 1)
	go func() { done <- g.Enter(t.Context(), Feed) }()
	require.Error(t, <-call)
	require.Equal(t, 2, g.waitingCount())
	g.Leave()
	g.Leave()
	require.NoError(t, <-feed)
	require.NoError(t, <-done)
}

func TestOfThoseWhoAreAlikeTheOldestMakesRoom(t *testing.T) {
	g := newGate(4, func(cfg *Config) { cfg.MaxWaiting = 2 })
	for range 4 {
		require.NoError(t, g.Enter(t.Context(), Feed))
	}
	oldest := g.enters(t.Context(), Feed)
	next := g.enters(t.Context(), Feed)
	last := make(chan error, 1)
	go func() { last <- g.Enter(t.Context(), Feed) }()
	select {
	case err := <-oldest:
		require.Error(t, err)
	case err := <-next:
		require.Fail(t, "who came later made room", "%v", err)
	}
	g.Leave()
	g.Leave()
	require.NoError(t, <-next)
	require.NoError(t, <-last)
}

func TestWhoWaitedTooLongOrWentAwayIsRefusedAndLeavesNothingBehind(t *testing.T) {
	g := newGate(4, func(cfg *Config) { cfg.MaxWait = time.Millisecond })
	for range 4 {
		require.NoError(t, g.Enter(t.Context(), Feed))
	}
	require.Error(t, g.Enter(t.Context(), Feed))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, g.Enter(ctx, Feed))
	require.Zero(t, g.waitingCount())
	g.Leave()
	require.NoError(t, g.Enter(t.Context(), Feed))
}

func TestTheLimitFallsWhileProcessorsDoNotKeepUpAndGrowsBack(t *testing.T) {
	g := newGate(100, noWait)
	for range 50 {
		require.NoError(t, g.Enter(t.Context(), Feed))
	}
	slow, quick := 2*g.cfg.TargetDelay, time.Duration(0)
	require.False(t, g.Overloaded())
	g.follow(slow)
	require.Equal(t, 100, g.limit, "once may be a hiccup")
	g.follow(quick)
	g.follow(slow)
	g.follow(slow)
	require.Equal(t, 40, g.limit, "four fifths of what is inside: the limit bites at once")
	require.True(t, g.Overloaded())
	require.Error(t, g.Enter(t.Context(), Feed))
	for range 20 {
		g.follow(slow)
	}
	require.Equal(t, g.cfg.MinConcurrent, g.limit)
	for range 50 {
		g.follow(quick)
	}
	require.Equal(t, 100, g.limit)
	g.follow(g.cfg.TargetDelay * 3 / 4)
	require.Equal(t, 100, g.limit)
}

func TestADelayThatIsNotOfTheRequestsChangesNothing(t *testing.T) {
	g := newGate(100)
	require.NoError(t, g.Enter(t.Context(), Feed))
	for range 5 {
		g.follow(10 * g.cfg.TargetDelay)
	}
	require.Equal(t, 100, g.limit)
	require.False(t, g.Overloaded())
}

func TestALimitThatGrowsLetsInWhoWaits(t *testing.T) {
	g := newGate(100)
	g.limit = 4
	for range 4 {
		require.NoError(t, g.Enter(t.Context(), Feed))
	}
	waits := g.enters(t.Context(), Feed)
	g.follow(0)
	require.NoError(t, <-waits)
}

func TestTheDelayOfABusyProcessIsSeen(t *testing.T) {
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	d := newDelays()
	d.since()
	var stop atomic.Bool
	var busy sync.WaitGroup
	for range 64 {
		busy.Go(func() {
			for !stop.Load() {
				for began := time.Now(); time.Since(began) < 200*time.Microsecond; { // the others wait 64 times as long
				}
				runtime.Gosched()
			}
		})
	}
	wait.Until(t, func() bool { return d.since() > time.Millisecond })
	stop.Store(true)
	busy.Wait()
}

func TestANilGateLetsEverythingIn(t *testing.T) {
	var g *Gate
	require.NoError(t, g.Enter(t.Context(), Call))
	g.Leave()
	require.NoError(t, g.Compute())
	g.Computed()
	require.False(t, g.Overloaded())
}

// However requests come and go, no more are inside than may be, and when all have left no place is lost.
func TestNoPlaceIsLostOrGivenTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		places := rapid.IntRange(4, 12).Draw(t, "places")
		g := newGate(places, func(cfg *Config) { cfg.MaxWait, cfg.MaxWaiting = time.Millisecond, 3 })
		var inside, most atomic.Int64
		var all sync.WaitGroup
		for range rapid.IntRange(1, 60).Draw(t, "requests") {
			class := Class(rapid.IntRange(0, 1).Draw(t, "class"))
			gone := rapid.Bool().Draw(t, "gone")
			all.Go(func() {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				if gone {
					time.AfterFunc(500*time.Microsecond, cancel)
				}
				if g.Enter(ctx, class) != nil {
					return
				}
				n := inside.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				runtime.Gosched()
				inside.Add(-1)
				g.Leave()
			})
		}
		all.Wait()
		if most.Load() > int64(places) {
			t.Fatalf("%d inside of %d places", most.Load(), places)
		}
		if g.inside != 0 || g.waitingNow() != 0 {
			t.Fatalf("%d places lost, %d wait", g.inside, g.waitingNow())
		}
	})
}
