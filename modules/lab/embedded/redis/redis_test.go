package redis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/lab/embedded/redis"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, opts redis.Options) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	addr, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- redis.Run(ctx, opts, func(a string) { addr <- a }) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return <-addr
}

func connect(t *testing.T) (rueidis.Client, context.Context) {
	t.Helper()
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{serve(t, redis.Options{Addr: "127.0.0.1:0"})}, DisableCache: true,
	})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client, t.Context()
}

// size is how many keys there are, without naming one.
func size(ctx context.Context, t *testing.T, client rueidis.Client) int64 {
	t.Helper()
	n, err := client.Do(ctx, client.B().Dbsize().Build()).AsInt64()
	require.NoError(t, err)
	return n
}

func pttl(ctx context.Context, t *testing.T, client rueidis.Client, key string) int64 {
	t.Helper()
	left, err := client.Do(ctx, client.B().Pttl().Key(key).Build()).AsInt64()
	require.NoError(t, err)
	return left
}

func TestKeysExpireAsTimePasses(t *testing.T) {
	client, ctx := connect(t)
	require.NoError(t, client.Do(ctx, client.B().Set().Key("long").Value("x").Ex(time.Hour).Build()).Error())
	for i := range 5000 {
		require.NoError(t, client.Do(ctx,
			client.B().Set().Key(fmt.Sprint("brief", i)).Value("x").Px(300*time.Millisecond).Build()).Error())
	}
	wait.Until(t, func() bool { return size(ctx, t, client) == 1 })
	left := pttl(ctx, t, client, "long")
	require.Less(t, left, time.Hour.Milliseconds(), "the TTL of what stays counts down")
	require.Greater(t, left, (time.Hour - time.Minute).Milliseconds())
}

func TestOnlyTheLastTTLOfAKeyCounts(t *testing.T) {
	client, ctx := connect(t)
	brief, long := 50*time.Millisecond, time.Hour
	for _, each := range []rueidis.Completed{
		client.B().Set().Key("again").Value("x").Px(brief).Build(),
		client.B().Set().Key("again").Value("y").Px(long).Build(),
		client.B().Set().Key("expire").Value("x").Px(brief).Build(),
		client.B().Pexpire().Key("expire").Milliseconds(long.Milliseconds()).Build(),
		client.B().Set().Key("persist").Value("x").Px(brief).Build(),
		client.B().Persist().Key("persist").Build(),
		client.B().Set().Key("gone").Value("x").Px(brief).Build(),
		client.B().Del().Key("gone").Build(),
		client.B().Zadd().Key("gone").ScoreMember().ScoreMember(1, "m").Build(),
		client.B().Set().Key("renamed").Value("x").Px(long).Build(),
		client.B().Rename().Key("renamed").Newkey("name").Build(),
		client.B().Eval().Script("redis.call('SET', KEYS[1], 'x', 'PX', 50) return redis.call('PEXPIRE', KEYS[1], ARGV[1])").Numkeys(1).Key("script").Arg("3600000").Build(),
		client.B().Set().Key("keep").Value("x").Px(long).Build(),
		client.B().Set().Key("keep").Value("y").Keepttl().Build(),
		client.B().Set().Key("witness").Value("x").Px(2 * brief).Build(),
	} {
		require.NoError(t, client.Do(ctx, each).Error())
	}
	wait.Until(t, func() bool { return size(ctx, t, client) == 7 }) // the witness is gone, after all that were brief
	for _, key := range []string{"again", "expire", "name", "script", "keep"} {
		require.InDelta(t, long.Milliseconds(), pttl(ctx, t, client, key), 60_000, key)
	}
	for _, key := range []string{"persist", "gone"} {
		require.EqualValues(t, -1, pttl(ctx, t, client, key), key)
	}
}

func TestALeaseIsNotProlongedByThoseWhoDoNotGetIt(t *testing.T) {
	client, ctx := connect(t)
	take := func(who string) bool {
		err := client.Do(ctx, client.B().Set().Key("lease").Value(who).Nx().Px(200*time.Millisecond).Build()).Error()
		require.True(t, err == nil || rueidis.IsRedisNil(err), err)
		return err == nil
	}
	began := time.Now()
	require.True(t, take("a"))
	wait.Until(t, func() bool { return take("b") })
	require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)
}

func TestWhatIsFlushedDoesNotTakeWhatComesAfterIt(t *testing.T) {
	client, ctx := connect(t)
	require.NoError(t, client.Do(ctx, client.B().Set().Key("a").Value("x").Px(100*time.Millisecond).Build()).Error())
	require.NoError(t, client.Do(ctx, client.B().Flushall().Build()).Error())
	require.NoError(t, client.Do(ctx, client.B().Set().Key("a").Value("stays").Build()).Error())
	require.NoError(t, client.Do(ctx,
		client.B().Set().Key("witness").Value("x").Px(150*time.Millisecond).Build()).Error())
	wait.Until(t, func() bool { return size(ctx, t, client) == 1 })
	require.EqualValues(t, -1, pttl(ctx, t, client, "a"))
}

func TestWhatCouldNotExpireIsRefused(t *testing.T) {
	client, ctx := connect(t)
	require.ErrorContains(t, client.Do(ctx, client.B().Multi().Build()).Error(), "use a Redis of your own")
	require.ErrorContains(t, client.Do(ctx, client.B().Select().Index(3).Build()).Error(), "use a Redis of your own")
	require.NoError(t, client.Do(ctx, client.B().Select().Index(0).Build()).Error())
}

func TestAPasswordIsAskedForWhenOneIsSet(t *testing.T) {
	addr := serve(t, redis.Options{Addr: "127.0.0.1:0", Password: "secret"})
	for password, refused := range map[string]string{"": "NOAUTH", "secret": ""} {
		client, err := rueidis.NewClient(rueidis.ClientOption{
			InitAddress: []string{addr}, DisableCache: true,
			Password: password,
		})
		require.NoError(t, err)
		err = client.Do(t.Context(), client.B().Ping().Build()).Error()
		if refused == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, refused)
		}
		client.Close()
	}
}

func TestATakenAddressIsAnError(t *testing.T) {
	addr := serve(t, redis.Options{Addr: "127.0.0.1:0"})
	err := redis.Run(context.Background(), redis.Options{Addr: addr}, func(string) { t.Error("it is not ready") })
	require.ErrorContains(t, err, addr)
}
