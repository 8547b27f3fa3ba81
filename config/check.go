package config

import "slices"

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
	return wrong
}
