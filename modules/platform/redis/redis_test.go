package redis_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Only(embedded.Redis)) }

func TestAClientOutlivesTheRedisItSpeaksTo(t *testing.T) {
	servers := embeddedtest.Own(t, embedded.Redis)
	cfg := redis.DefaultConfig()
	cfg.Addrs = []string{servers.Redis.Addr()}
	require.NoError(t, servers.Redis.Kill())

	c := redis.New(cfg, core.SystemClock{}) // made while the server is away
	defer c.Close()
	_, err := c.Conn()
	require.Error(t, err)
	_, err = c.Conn()
	require.ErrorIs(t, err, redis.ErrDown, "a second caller does not dial again at once")

	require.NoError(t, servers.Redis.Start(t.Context()))
	answers := func() bool { return c.Ping(t.Context()) == nil }
	wait.Until(t, answers)
	require.NoError(t, servers.Redis.Kill())
	require.Error(t, c.Ping(t.Context()))
	require.NoError(t, servers.Redis.Start(t.Context()))
	wait.Until(t, answers)
}

func TestAClosedClientIsDown(t *testing.T) {
	cfg := redis.DefaultConfig()
	cfg.Addrs = []string{embeddedtest.NewRedis(t)}
	c := redis.New(cfg, core.SystemClock{})
	require.NoError(t, c.Ping(t.Context()))
	c.Close()
	require.ErrorIs(t, c.Ping(t.Context()), redis.ErrDown)
}
