package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/embedded/redis"
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

func TestKeysExpireAsTimePasses(t *testing.T) {
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{serve(t, redis.Options{Addr: "127.0.0.1:0"})}, DisableCache: true,
	})
	require.NoError(t, err)
	defer client.Close()
	ctx := context.Background()
	require.NoError(t, client.Do(ctx, client.B().Set().Key("brief").Value("x").Px(300*time.Millisecond).Build()).Error())
	require.NoError(t, client.Do(ctx, client.B().Set().Key("long").Value("x").Ex(time.Hour).Build()).Error())

	wait.Until(t, func() bool {
		n, err := client.Do(ctx, client.B().Exists().Key("brief").Build()).AsInt64()
		return err == nil && n == 0
	})
	left, err := client.Do(ctx, client.B().Pttl().Key("long").Build()).AsInt64()
	require.NoError(t, err)
	require.Less(t, left, time.Hour.Milliseconds(), "the TTL of what stays counts down")
	require.Greater(t, left, (time.Hour - time.Minute).Milliseconds())
}

func TestAPasswordIsAskedForWhenOneIsSet(t *testing.T) {
	addr := serve(t, redis.Options{Addr: "127.0.0.1:0", Password: "secret"})
	option := rueidis.ClientOption{InitAddress: []string{addr}, DisableCache: true}
	_, err := rueidis.NewClient(option)
	require.ErrorContains(t, err, "NOAUTH")
	option.Password = "secret"
	client, err := rueidis.NewClient(option)
	require.NoError(t, err)
	client.Close()
}

func TestATakenAddressIsAnError(t *testing.T) {
	addr := serve(t, redis.Options{Addr: "127.0.0.1:0"})
	err := redis.Run(context.Background(), redis.Options{Addr: addr}, func(string) { t.Error("it is not ready") })
	require.ErrorContains(t, err, addr)
}
