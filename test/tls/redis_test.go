package tls

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/test/wait"
)

func TestRedisOverTLS(t *testing.T) {
	trusted := newAuthority(t, "ours")
	for _, x := range trials(t, trusted) {
		t.Run(x.name, func(t *testing.T) {
			server := miniredis.NewMiniRedis()
			server.RequireUserAuth("feed", "a word")
			require.NoError(t, server.StartTLS(trusted.server(x.mutual)))
			defer server.Close()
			cfg := redis.DefaultConfig()
			cfg.Addrs, cfg.TLS, cfg.User, cfg.Password = []string{server.Addr()}, x.client, "feed", "a word"
			cfg.DialTimeout = 5 * time.Second
			client := redis.New(cfg, core.SystemClock{})
			defer client.Close()
			if !x.enters {
				require.Error(t, client.Ping(t.Context()))
				return
			}
			wait.Until(t, func() bool { return client.Ping(t.Context()) == nil })

			cfg.Password = "another word"
			stranger := redis.New(cfg, core.SystemClock{})
			defer stranger.Close()
			require.Error(t, stranger.Ping(t.Context()))
		})
	}
}
