package ratelimit_test

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/ratelimit"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Only(embedded.Redis)) }

// clock is set by the test.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func midnight() *clock { return &clock{at: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)} }

var alice, bob = ratelimit.Key{Who: 1}, ratelimit.Key{Who: 2}

// take asks n times, and counts how often it was let in.
func take(l *ratelimit.Limiter, key ratelimit.Key, n int) (in int) {
	for range n {
		if l.Take(key).OK {
			in++
		}
	}
	return in
}

func TestALimitHoldsForEachKeyAndEndsWithItsWindow(t *testing.T) {
	c := midnight()
	l := ratelimit.NewLimiter(ratelimit.Rule{Name: "r", Limit: 10, Window: time.Minute, MaxKeys: 1000}, c)
	require.Equal(t, 10, take(l, alice, 15))
	c.pass(20 * time.Second)
	refused := l.Take(alice)
	require.False(t, refused.OK)
	require.Equal(t, 40*time.Second, refused.Retry)
	require.Equal(t, 9, l.Take(bob).Remaining, "another key has its own")
	c.pass(refused.Retry)
	require.True(t, l.Take(alice).OK, "it may be tried again when the answer says so")
}

func TestASlidingWindowLetsNobodyInTwiceAtItsEdge(t *testing.T) {
	c := midnight()
	l := ratelimit.NewLimiter(ratelimit.Rule{
		Name: "r", Limit: 100, Window: time.Minute, Sliding: true,
		MaxKeys: 1000,
	}, c)
	c.pass(59 * time.Second)
	require.Equal(t, 100, take(l, alice, 200))
	c.pass(2 * time.Second)
	require.LessOrEqual(t, take(l, alice, 200), 2, "a second into the next window nearly all of the last one counts")
	refused := l.Take(alice)
	require.Positive(t, refused.Retry)
	c.pass(refused.Retry)
	require.True(t, l.Take(alice).OK)
	c.pass(2 * time.Minute)
	require.Equal(t, 100, take(l, alice, 200))
}

func counter(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	require.Fail(t, "no metric", name)
	return 0
}

func TestAccountsBeyondTheMemoryShareOneCountAndAreToldOf(t *testing.T) {
	reg := prometheus.NewRegistry()
	l := ratelimit.NewLimiter(ratelimit.Rule{Name: "r", Limit: 1, Window: time.Minute, MaxKeys: 64}, midnight())
	ratelimit.Register(reg, l)
	in := 0
	for who := range uint64(1000) {
		in += take(l, ratelimit.Key{Who: who}, 1)
	}
	require.LessOrEqual(t, in, 64+64, "one in each shard, and one for all others of that shard")
	require.Greater(t, in, 64)
	require.Zero(t, take(l, ratelimit.Key{Who: 0}, 5), "who is counted stays counted")
	require.InDelta(t, in-64, counter(t, reg, "feedrank_rate_limit_shared_total"), 1)
}

func TestWhoFillsTheMemoryIsShutOutAndNobodyElse(t *testing.T) {
	reg := prometheus.NewRegistry()
	c := midnight()
	l := ratelimit.NewLimiter(ratelimit.Rule{Name: "r", Limit: 3, Window: time.Minute, MaxKeys: 64 * 100}, c)
	ratelimit.Register(reg, l)
	for post := range uint64(10_000) { // of made-up posts, to have the next ones uncounted
		l.Take(ratelimit.Key{Who: 1, What: post})
	}
	require.Zero(t, take(l, ratelimit.Key{Who: 1, What: 77_777}, 1000))
	for who := uint64(2); who < 500; who++ { // some share the shard
		require.Equal(t, 3, take(l, ratelimit.Key{Who: who, What: 77_777}, 5), "others are counted as ever")
	}
	require.InDelta(t, 1, counter(t, reg, "feedrank_rate_limit_shut_out_total"), 0)
	c.pass(time.Minute)
	require.Equal(t, 3, take(l, ratelimit.Key{Who: 1, What: 77_777}, 5), "until the window ends")
}

func TestAnAccountHasSoManyKeysAndNoMore(t *testing.T) {
	l := ratelimit.NewLimiter(ratelimit.Rule{Name: "r", Limit: 2, Window: time.Minute, MaxKeys: 64_000, KeysEach: 10},
		midnight())
	in := 0
	for post := range uint64(100) {
		in += take(l, ratelimit.Key{Who: 1, What: post}, 3)
	}
	require.Equal(t, 20, in)
	require.Equal(t, 2, take(l, ratelimit.Key{Who: 2, What: 50}, 3))
}

func TestWhatIsGivenBackCanBeTakenAgain(t *testing.T) {
	c := midnight()
	l := ratelimit.NewLimiter(ratelimit.Rule{Name: "r", Limit: 3, Window: time.Minute, MaxKeys: 1000}, c)
	l.GiveBack(alice)
	require.Equal(t, 3, take(l, alice, 5), "nothing was taken before")
	l.GiveBack(alice)
	require.Equal(t, 1, take(l, alice, 5))
	require.Equal(t, 3, take(l, bob, 5))
	c.pass(time.Minute)
	l.GiveBack(alice)
	require.Equal(t, 3, take(l, alice, 5), "what was of a window that is over")
}

// replicas are limiters that share a Redis.
func replicas(t *testing.T, c core.Clock, cfg redis.Config, rule ratelimit.Rule, n int) (limiters []*ratelimit.Limiter,
	round func() error,
) {
	t.Helper()
	var syncs []*ratelimit.Sync
	for range n {
		client := redis.New(cfg, core.SystemClock{})
		t.Cleanup(client.Close)
		limiter := ratelimit.NewLimiter(rule, c)
		limiters = append(limiters, limiter)
		syncs = append(syncs, ratelimit.NewSync(client, func(error) {}, limiter))
	}
	return limiters, func() error {
		for _, s := range syncs {
			if err := s.Round(t.Context()); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestReplicasHoldALimitTogether(t *testing.T) {
	c := midnight()
	cfg := redis.DefaultConfig()
	cfg.Addrs = []string{embeddedtest.NewRedis(t)}
	rule := ratelimit.Rule{Name: "r", Limit: 100, Window: time.Minute, Sliding: true, MaxKeys: 1000}
	l, round := replicas(t, c, cfg, rule, 3)
	wait.Until(t, func() bool { return round() == nil }, "connect to Redis")
	in := 0
	for range 40 { // a few requests of the user meet each replica, then a round
		for _, replica := range l {
			in += take(replica, alice, 2)
		}
		require.NoError(t, round())
	}
	require.GreaterOrEqual(t, in, 100)
	require.LessOrEqual(t, in, 100+2*10+2*3*2,
		"more by a tenth for each other replica, and by what comes between two rounds")
	require.Equal(t, 5, take(l[0], bob, 5), "what others do is nobody's business")
}

func TestWithoutRedisEachReplicaHoldsTheLimitAloneAndTellsItLater(t *testing.T) {
	servers := embeddedtest.Own(t, embedded.Redis)
	cfg := redis.DefaultConfig()
	cfg.Addrs = []string{servers.Redis.Addr()}
	rule := ratelimit.Rule{Name: "r", Limit: 100, Window: time.Hour, MaxKeys: 1000}
	l, round := replicas(t, midnight(), cfg, rule, 2)
	require.NoError(t, servers.Redis.Kill())
	require.Equal(t, 60, take(l[0], alice, 60))
	require.Error(t, round())
	require.Equal(t, 60, take(l[1], alice, 60))
	require.NoError(t, servers.Redis.Start(t.Context()))
	wait.Until(t, func() bool { return round() == nil })
	require.NoError(t, round())
	take(l[0], alice, 1) // a replica learns of the others when it has something to tell
	require.NoError(t, round())
	require.Zero(t, take(l[1], alice, 10))
	require.Zero(t, take(l[0], alice, 10))
}

func TestAnIPv6SubscriberIsOneAddress(t *testing.T) {
	client := redis.New(redis.DefaultConfig(), core.SystemClock{})
	defer client.Close()
	cfg := ratelimit.Config{AddressPerMinute: 2, MaxKeys: 1000}
	limits := ratelimit.NewRequests(cfg, client, midnight(), prometheus.NewRegistry(), zap.NewNop()).Limits()
	ask := func(addr string) bool { return limits.Address(netip.MustParseAddr(addr)).OK }
	require.True(t, ask("2001:db8::1"))
	require.True(t, ask("2001:db8::2"))
	require.False(t, ask("2001:db8::3"), "the same /64")
	require.True(t, ask("2001:db8:0:1::1"))
	require.True(t, ask("203.0.113.1"))
	require.True(t, limits.User(7).OK, "0 is no limit")
}

func BenchmarkTake(b *testing.B) {
	l := ratelimit.NewLimiter(ratelimit.Rule{
		Name: "r", Limit: 1 << 30, Window: time.Minute, Sliding: true,
		MaxKeys: 200_000,
	}, core.SystemClock{})
	b.ReportAllocs()
	who := uint64(0)
	for b.Loop() {
		who++
		l.Take(ratelimit.Key{Who: who % 100_000})
	}
}
