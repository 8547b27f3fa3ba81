package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
)

func TestServiceLinksOfThePlatformAreNoSettings(t *testing.T) {
	links := []string{
		"FEEDRANK_SERVICE_HOST=10.0.0.1", "FEEDRANK_SERVICE_PORT=8080", "FEEDRANK_SERVICE_PORT_HTTP=8080",
		"FEEDRANK_PORT=tcp://10.0.0.1:8080",
		"FEEDRANK_PORT_8080_TCP=tcp://10.0.0.1:8080", "FEEDRANK_PORT_8080_TCP_PROTO=tcp",
		"FEEDRANK_PORT_8080_TCP_PORT=8080",
		"FEEDRANK_PORT_8080_TCP_ADDR=10.0.0.1", "FEEDRANK_API_SERVICE_HOST=fd00::1",
		"FEEDRANK_API_2_SERVICE_PORT_HTTP_ADMIN=8081",
		"FEEDRANK_API_PORT=udp://[fd00::1]:53", "FEEDRANK_KAFKA_PORT_9092_TCP_ADDR=10.0.0.2",
	}
	_, err := config.Load(config.Sources{Env: append([]string{withSecret}, links...)})
	require.NoError(t, err)
	require.Len(t, config.ServiceLinks(append([]string{withSecret, "PATH=/bin"}, links...)), len(links))
	for _, typo := range []string{
		"FEEDRANK_KAFKA__BROKER=a:9092", "FEEDRANK_PORT=:8080", "FEEDRANK_HTTP__PORT=8080",
		"FEEDRANK_HTTP_PORT=http://x", "FEEDRANK_SERVICE_HOST=my host",
		"FEEDRANK_SERVICE_HOSTS=10.0.0.1", "FEEDRANK_KAFKA__SERVICE_PORT=9092",
		"FEEDRANK_POSTGRES_DSN=postgres://u:p@h/db",
	} {
		name, _, _ := strings.Cut(strings.TrimPrefix(typo, "FEEDRANK_"), "=")
		_, err := config.Load(config.Sources{Env: []string{withSecret, typo}})
		require.ErrorContains(t, err, strings.ToLower(strings.ReplaceAll(name, "__", "."))+": unknown key", typo)
	}
}

func TestTextThatYAMLReadAsAnotherTypeIsRefused(t *testing.T) {
	for text, key := range map[string]string{
		"redis: {password: 0123456}": "redis.password", "redis: {password: true}": "redis.password",
		"redis: {user: 1e3}":            "redis.user",
		"redis: {password: 2026-01-01}": "redis.password", "redis: {password: 0x1F}": "redis.password",
		"clickhouse: {password: 1.0}":                                    "clickhouse.password",
		"auth: {hs256_secret: 12345678901234567890123456789012345}":      "auth.hs256_secret",
		"feed: {cursor_secrets: [12345678901234567890123456789012345]}":  "feed.cursor_secrets",
		"feed: {cursor_secrets: 12345678901234567890123456789012345}":    "feed.cursor_secrets",
		"kafka: {topic_prefix: 007}":                                     "kafka.topic_prefix",
		"cdc: {tables: {post: {hidden_when: [{column: v, in: [007]}]}}}": "cdc.tables.post.hidden_when",
		"cdc: {tables: {post: {columns: {id: 1}}}}":                      "cdc.tables.post.columns",
		"http: {max_concurrent: 1.5}":                                    "http.max_concurrent",
		"http: {max_concurrent: true}":                                   "http.max_concurrent",
	} {
		_, err := config.Load(config.Sources{File: write(t, text), Set: []string{"roles=cdc-consumer"}})
		require.ErrorContains(t, err, key+": ", text)
		if !strings.Contains(text, "max_concurrent") {
			require.ErrorContains(t, err, "quote it", text)
		}
		if strings.Contains(text, "secret") || strings.Contains(text, "password") {
			require.NotContains(t, err.Error(), "12345")
			require.NotContains(t, err.Error(), "42798", "nor what it was made of")
		}
	}
	cfg, err := config.Load(config.Sources{
		File: write(t,
			"redis: {password: \"0123456\"}\nclickhouse: {password: 'true'}\nhttp: {max_concurrent: 1e2}"),
		Env: []string{withSecret, "FEEDRANK_KAFKA__SASL__PASSWORD=007"},
	})
	require.NoError(t, err)
	require.Equal(t, "0123456", cfg.Redis.Password)
	require.Equal(t, "true", cfg.ClickHouse.Password)
	require.Equal(t, "007", cfg.Kafka.SASL.Password, "the environment is text")
	require.Equal(t, 100, cfg.HTTP.MaxConcurrent)
}

func TestAddressesAreTakenAsTheNetworkTakesThem(t *testing.T) {
	long := strings.Repeat("a", 63)
	for address, ok := range map[string]bool{
		"[::1]:9092": true, "[fd00::1]:6379": true, "[fe80::1%eth0]:9092": true, "my_redis:6379": true,
		"kafka.ns.svc.cluster.local.:9092": true,
		"10.0.0.1:9092":                    true, "a:1": true, "a:65535": true, "ch-1.example:9000": true,
		"_a._tcp.example:1": true, "1a:9092": true, long + ":1": true,
		"a:99999": false, "a:65536": false, "a:0": false, "a:-1": false, "a:": false, ":9092": false, "a": false,
		"a:b": false, "::1:9092": false,
		"[a]:9092": false, "a b:9092": false, "-a:1": false, "a-:1": false, "a..b:1": false, ".:1": false,
		"1.2.3:1": false, "256.1.1.1:1": false,
		"http://a:1": false, "a:1/x": false, long + "a:1": false, "é:1": false, "[::1]": false,
	} {
		for _, key := range []string{"kafka.brokers", "redis.addrs", "clickhouse.addrs"} {
			_, err := config.Load(config.Sources{Env: []string{withSecret}, Set: []string{key + "=" + address}})
			if ok {
				require.NoError(t, err, address)
			} else {
				require.ErrorContains(t, err, key, address)
			}
		}
	}
}

func TestADSNIsTakenAsTheClientTakesIt(t *testing.T) {
	t.Setenv("PGPASSWORD", "")
	for dsn, want := range map[string]string{ // empty: it is taken
		"postgres://u:hunter2@/app?host=/var/run/postgresql":                       "",
		"postgres://u:hunter2@h/app":                                               "",
		"postgresql://u:hunter2@h:5433,i:5434/app?target_session_attrs=any":        "",
		"postgres://u:hunter2%23%25@h/app?sslmode=require":                         "",
		"host=/var/run/postgresql user=u password=hunter2 dbname=app":              "",
		"host=h port=5432 user=u password=hunter2#%x dbname=app":                   "",
		"host=h user=u password='hunter2 #%' dbname=app sslmode=disable":           "",
		"postgres://u:hunter2#x?@h/app":                                            "",
		"postgres://u:hunter2%zz@h/app":                                            "%25",
		"postgres://u:hunter2@h/app?sslmode=banana":                                "verify-full",
		"host=h user=u password=hunter2 sslmode=banana":                            "verify-full",
		"postgres://u:hunter2@h:99999/app":                                         "port",
		"host=h port=0 user=u password=hunter2":                                    "port",
		"postgres://u:hunter2@h/app?sslrootcert=/does/not/exist&sslmode=verify-ca": "sslrootcert",
		"postgres://u:hunter2@h/app?pool_max_conns=7":                              "postgres.max_conns",
		"mysql://u:hunter2@h/app":                                                  "postgres://",
		"postgres://u:hun@ter2@h/app":                                              "%40",
		"postgres://u:hun/ter2@h/app":                                              "%2F",
		"postgres://u:hunter2@/app":                                                "host",
		"user=u password=hunter2":                                                  "host",
		"hunter2":                                                                  "postgres://",
		"host=h password='hunter2":                                                 "postgres://",
	} {
		_, err := config.Load(config.Sources{Env: []string{withSecret, "FEEDRANK_POSTGRES__DSN=" + dsn}})
		if want == "" {
			require.NoError(t, err, dsn)
			continue
		}
		require.ErrorContains(t, err, "postgres.dsn: (secret): want", dsn)
		require.ErrorContains(t, err, want, dsn)
		require.NotContains(t, err.Error(), "hunter", dsn)
		require.NotContains(t, err.Error(), "ter2", dsn)
	}
}
