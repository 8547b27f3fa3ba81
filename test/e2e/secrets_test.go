package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// lockedBuffer takes log lines from many goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// planted are the secrets of a configuration, by the key of each. Nothing else looks like them.
func planted(dir string, t *testing.T) (env []string, secrets map[string]string) {
	t.Helper()
	secrets = map[string]string{}
	for i, key := range []string{
		"auth.hs256_secret", "feed.cursor_secrets", "kafka.sasl.password", "clickhouse.password", "redis.password",
		"console.oidc.client_secret", "postgres", "jwks",
	} {
		secrets[key] = fmt.Sprintf("planted-%d-%s", i, strings.Repeat("x7q", 12))
	}
	for key, value := range map[string]string{
		"AUTH__HS256_SECRET": secrets["auth.hs256_secret"], "FEED__CURSOR_SECRETS": secrets["feed.cursor_secrets"],
		"KAFKA__SASL__PASSWORD": secrets["kafka.sasl.password"], "CLICKHOUSE__PASSWORD": secrets["clickhouse.password"],
		"REDIS__PASSWORD":              secrets["redis.password"],
		"CONSOLE__OIDC__CLIENT_SECRET": secrets["console.oidc.client_secret"],
		"POSTGRES__DSN": "postgres://nobody:" + secrets["postgres"] +
			"@127.0.0.1:1/feedrank?sslmode=disable",
	} {
		file := filepath.Join(dir, key) // as an orchestrator mounts them
		require.NoError(t, os.WriteFile(file, []byte(value+"\n"), 0o600))
		env = append(env, "FEEDRANK_"+key+"_FILE="+file)
	}
	return append(env, "FEEDRANK_AUTH__JWKS_URL=http://keys:"+secrets["jwks"]+"@127.0.0.1:1/keys"), secrets
}

// Every server refuses us, every call is made, everything that is said is kept: no secret is in it.
func TestNoSecretIsSaidAnywhere(t *testing.T) {
	cache := miniredis.NewMiniRedis()
	cache.RequireAuth("another word")
	require.NoError(t, cache.Start())
	defer cache.Close()
	brokers, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "feedrank", "another word"))
	require.NoError(t, err)
	defer brokers.Close()
	clickhouse := stack.Own(t).ClickHouseConfig

	env, secrets := planted(t.TempDir(), t)
	set := []string{
		"http.addr=127.0.0.1:0", "http.admin_addr=127.0.0.1:0", "redis.addrs=" + cache.Addr(),
		"kafka.brokers=" + strings.Join(brokers.ListenAddrs(), ","), "clickhouse.addrs=" + clickhouse.Addrs[0],
		"clickhouse.user=" + clickhouse.User, "kafka.sasl.mechanism=PLAIN", "kafka.sasl.user=feedrank",
		"kafka.session_timeout=6s", "log.level=debug",
		"console.oidc.issuer=http://127.0.0.1:1", "console.oidc.client_id=feedrank", "console.oidc.admin_when=ops",
		"console.oidc.redirect_url=http://127.0.0.1:1/console/login/oidc",
	}
	cfg, err := config.Load(config.Sources{Env: env, Set: set})
	require.NoError(t, err)
	require.Equal(t, secrets["auth.hs256_secret"], cfg.Auth.HS256Secret, "from a file, without the end of its line")
	require.Equal(t, []string{secrets["feed.cursor_secrets"]}, cfg.Feed.CursorSecrets)

	said := &lockedBuffer{}
	log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(said),
		zap.DebugLevel))
	running, err := app.Start(t.Context(), cfg, log)
	require.NoError(t, err)
	stopped := false
	defer func() {
		if !stopped {
			require.NoError(t, running.Stop())
		}
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	admin, err := auth.Sign(cfg.Auth, 1, true, time.Hour, time.Now())
	require.NoError(t, err)
	calls := 0
	for _, route := range running.Routes() {
		path := strings.NewReplacer(":id", "1", ":user", "1", ":name", "feed", "/*",
			"/goroutine?debug=2").Replace(route.Path)
		if strings.HasSuffix(path, "/profile") || strings.HasSuffix(path, "/trace") {
			path += "?seconds=1"
		}
		for _, addr := range []string{running.Addr(), running.AdminAddr()} {
			for _, token := range []string{admin, "not a token", admin[:len(admin)-2]} {
				ctx, enough := context.WithCancel(t.Context())
				request, err := http.NewRequestWithContext(ctx, route.Method, "http://"+addr+path,
					strings.NewReader("{"))
				require.NoError(t, err)
				request.Header.Set("Authorization", "Bearer "+token)
				response, err := client.Do(request)
				require.NoError(t, err, path)
				var text []byte
				if strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") { // it has no end
					text = make([]byte, 1)
					_, err = io.ReadFull(response.Body, text)
				} else {
					text, err = io.ReadAll(response.Body)
				}
				require.NoError(t, err)
				enough()
				require.NoError(t, response.Body.Close())
				_, _ = fmt.Fprintf(said, "%s %s %d %v %s\n", route.Method, path, response.StatusCode, response.Header,
					text)
				calls++
			}
		}
	}
	require.Greater(t, calls, 100)
	wait.Until(t, func() bool {
		return strings.Contains(said.String(), "consumer group session ended") &&
			strings.Contains(said.String(), "fetch the key set")
	}, "the clients complain")
	stopped = true
	require.NoError(t, running.Stop())

	_, err = app.Migrate(t.Context(), cfg, true)
	_, _ = fmt.Fprintln(said, err)
	_, err = app.Erase(t.Context(), cfg, []core.Key{{ID: 1}})
	_, _ = fmt.Fprintln(said, err)
	_, _ = fmt.Fprintln(said, app.Validate(cfg))
	for _, broken := range []string{
		"kafka.sasl.mechanism=ROT13", "postgres.dsn=" + secrets["postgres"],
		"auth.hs256_secret=" + secrets["jwks"][:20], "feed.cursor_secrets=" + secrets["jwks"][:20],
		"kafka.sasl=" + secrets["jwks"], "redis.password.more=" + secrets["jwks"],
	} {
		_, err := config.Load(config.Sources{Env: env, Set: append(slices.Clone(set), broken)})
		require.Error(t, err, strings.SplitN(broken, "=", 2)[0])
		_, _ = fmt.Fprintln(said, err)
	}
	for key, secret := range secrets {
		if at := strings.Index(said.String(), secret[:20]); at >= 0 {
			all := said.String()
			t.Errorf("the secret of %s is said: %s", key, all[max(0, at-200):min(len(all), at+60)])
		}
	}
}
