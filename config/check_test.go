package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
)

func TestTheEventsConsumerTakesOneClickHouse(t *testing.T) {
	cfg := config.Default()
	cfg.Roles, cfg.Feed.CursorSecrets = []string{"events-consumer"}, []string{strings.Repeat("s", 32)}
	require.Empty(t, cfg.Check())
	cfg.ClickHouse.Addrs = []string{"a:9000", "b:9000"}
	require.Contains(t, cfg.Check(), "clickhouse.addrs")
	cfg.Roles = []string{"cdc-consumer"}
	require.Empty(t, cfg.Check())
}

func TestReplicasThatShareWhatIsSignedNeedASharedSecret(t *testing.T) {
	for _, role := range []string{"all", "api", "events-consumer"} {
		cfg := config.Default()
		cfg.Roles, cfg.Auth.JWKSURL = []string{role}, "https://id.example/keys"
		require.Contains(t, cfg.Check(), "feed.cursor_secrets", role)
		cfg.Auth.HS256Secret = strings.Repeat("s", 32)
		require.Empty(t, cfg.Check(), "derived from the one that they share")
		derived := cfg.FeedSecrets()
		require.NotContains(t, derived[0], cfg.Auth.HS256Secret)
		other := config.Default()
		other.Auth.HS256Secret = cfg.Auth.HS256Secret
		require.Equal(t, derived, other.FeedSecrets(), "alike in every replica")
		cfg.Feed.CursorSecrets = []string{strings.Repeat("c", 32)}
		require.Equal(t, cfg.Feed.CursorSecrets, cfg.FeedSecrets())
	}
	cfg := config.Default()
	cfg.Roles = []string{"jobs"}
	require.Empty(t, cfg.Check())
}

func TestAProviderOfOperatorsIsChecked(t *testing.T) {
	set := []string{"auth.hs256_secret=" + strings.Repeat("s", 32), "console.oidc.issuer=http://login.example.com"}
	_, err := config.Load(config.Sources{Set: set})
	for _, key := range []string{"issuer", "client_id", "client_secret", "redirect_url", "admin_when"} {
		require.ErrorContains(t, err, "console.oidc."+key)
	}
	set = append(set, "console.oidc.issuer=https://login.example.com", "console.oidc.client_id=feedrank",
		"console.oidc.redirect_url=https://ops.example.com/console/login/oidc", "console.oidc.admin_when=ops,sre")
	_, err = config.Load(config.Sources{Set: append(set, "console.oidc.client_secret=tooshort")})
	require.ErrorContains(t, err, "console.oidc.client_secret")
	require.NotContains(t, err.Error(), "tooshort")
	cfg, err := config.Load(config.Sources{Set: append(set, "console.oidc.client_secret="+strings.Repeat("s", 24))})
	require.NoError(t, err)
	require.Equal(t, []string{"ops", "sre"}, cfg.Console.OIDC.AdminWhen)
}
