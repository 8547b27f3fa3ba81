package config

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// Check tells what the settings of different modules lack together.
func (c Config) Check() map[string]string {
	wrong := map[string]string{}
	serves := slices.Contains(c.Roles, "all") || slices.Contains(c.Roles, "api")
	if serves && c.Auth.HS256Secret == "" && c.Auth.JWKSURL == "" {
		wrong["auth.hs256_secret"] = "the api role verifies tokens: set a secret of at least 32 bytes, or auth.jwks_url"
	}
	consumes := slices.Contains(c.Roles, "all") || slices.Contains(c.Roles, "events-consumer")
	if consumes && c.Modules.Toggle("events_consumer").Enabled && len(c.ClickHouse.Addrs) > 1 {
		wrong["clickhouse.addrs"] = "the events consumer takes one address: what it has written, and who may write, is known to one server only"
	}
	if (serves || consumes) && c.Modules.Toggle("feed").Enabled && len(c.FeedSecrets()) == 0 {
		wrong["feed.cursor_secrets"] = "give every replica of the api and events-consumer roles the same secret of at least 32 bytes: " +
			"what one signs, another verifies (with auth.hs256_secret it would be derived from that)"
	}
	if live := c.Feed.Updates.MaxStreams; serves && c.Modules.Toggle("feed").Enabled && live >= c.HTTP.MaxConnections {
		wrong["feed.updates.max_streams"] = fmt.Sprintf(
			"is not below http.max_connections (%d): streams would leave no connection to other calls", c.HTTP.MaxConnections)
	}
	return wrong
}

// FeedSecrets sign what feeds give out to be given back: cursors and feed_session. Every replica needs
// the same ones, so they are derived from the secret that replicas share anyway, unless they are set.
func (c Config) FeedSecrets() []string {
	if len(c.Feed.CursorSecrets) > 0 || c.Auth.HS256Secret == "" {
		return c.Feed.CursorSecrets
	}
	derived := hmac.New(sha256.New, []byte(c.Auth.HS256Secret))
	derived.Write([]byte("feed.cursor_secrets"))
	return []string{hex.EncodeToString(derived.Sum(nil))}
}
