package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
)

func signedWith(value string) config.Config {
	cfg := config.Default()
	cfg.Auth.HS256Secret = value
	return cfg
}

func TestASecretOfOurExamplesIsRefusedAndNamedByItsKey(t *testing.T) {
	require.NoError(t, config.CheckPublished(signedWith(strings.Repeat("s7", 20))))
	require.NoError(t, config.CheckPublished(config.Default()))
	err := config.CheckPublished(signedWith("change-me-change-me-change-me-change-me"))
	require.ErrorContains(t, err, "auth.hs256_secret: this secret is in our own examples")
	require.NotContains(t, err.Error(), "change-me-change-me", "a secret is never said")

	cfg := signedWith(strings.Repeat("s7", 20))
	cfg.Feed.CursorSecrets = []string{strings.Repeat("q8", 20), strings.Repeat("Change_Me", 5)}
	cfg.ClickHouse.Password, cfg.Redis.Password, cfg.Kafka.SASL.Password = "feedrank", "change me", "changeme"
	cfg.Postgres.DSN = "postgres://feedrank:feedrank@postgres:5432/app?sslmode=disable"
	err = config.CheckPublished(cfg)
	for _, key := range []string{
		"feed.cursor_secrets", "clickhouse.password", "redis.password", "kafka.sasl.password",
		"postgres.dsn",
	} {
		require.ErrorContains(t, err, key+":")
	}
	require.NotContains(t, err.Error(), "auth.hs256_secret")
}

// What an example gives for a secret is either asked of who runs it, or refused by the program.
func TestNoExampleOfOursHoldsASecretThatTheProgramTakes(t *testing.T) {
	given := regexp.MustCompile(`(?i)(?:secret|passwor[dt]\w*|\bby|postgres(?:ql)?://\w+)\s*[:=]?\s*['"]?([^\s'"@,}]{4,}(?: me)?)`)
	files, err := filepath.Glob("*.yaml")
	require.NoError(t, err)
	for _, pattern := range []string{
		"grants/*", "prometheus/*", "*.md", "../README.md", "../Dockerfile",
		"../Makefile",
	} {
		more, err := filepath.Glob(pattern)
		require.NoError(t, err)
		files = append(files, more...)
	}
	require.Greater(t, len(files), 6)
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, line := range strings.Split(string(text), "\n") {
			if !regexp.MustCompile(`(?i)[a-z_]*(secret|password)[a-z_]*\s*[:=]|identified with|://\w+:`).MatchString(line) {
				continue
			}
			if strings.Contains(line, "/secrets") { // a file of one, which is made at the first start
				found++
				continue
			}
			for _, match := range given.FindAllStringSubmatch(line, -1) {
				value := match[1]
				if strings.HasPrefix(value, "$") || strings.HasPrefix(value, ":$") || value == "sha256_password" {
					found++
					continue
				}
				require.Error(t, config.CheckPublished(signedWith(value)), "%s: %s", file, line)
				found++
			}
		}
	}
	require.Positive(t, found)
}
