package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
)

// withSecret is the one setting that has no default and that the api role cannot do without.
const withSecret = "FEEDRANK_AUTH__HS256_SECRET=0123456789abcdef0123456789abcdef"

func TestTheAPIRoleNeedsAKeyAndOtherRolesDoNot(t *testing.T) {
	_, err := config.Load(config.Sources{})
	require.ErrorContains(t, err, "auth.hs256_secret")
	_, err = config.Load(config.Sources{Set: []string{"roles=cdc-consumer"}})
	require.NoError(t, err)
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "feedrank.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestTheFileThatWeShipSaysTheDefaults(t *testing.T) {
	cfg, err := config.Load(config.Sources{File: "feedrank.yaml", Env: []string{withSecret}})
	require.NoError(t, err)
	want := config.Default()
	want.Auth.HS256Secret = cfg.Auth.HS256Secret
	require.Equal(t, want, cfg)
}

func TestTheEnvironmentIsOverTheFileAndFlagsAreOverBoth(t *testing.T) {
	file := write(t, "kafka:\n  brokers: [file:1]\n  topic_prefix: file\nhttp:\n  addr: file:1\nroles: [api, jobs, cdc-source]\n")
	cfg, err := config.Load(config.Sources{
		File: file,
		Env: []string{
			withSecret, "FEEDRANK_KAFKA__BROKERS=env:1,env:2", "FEEDRANK_HTTP__ADDR=env:1",
			"FEEDRANK_ROLES=api", "PATH=/bin", "FEEDRANK_TEST_STACK=x",
		},
		Set: []string{"http.addr=flag:1", "clickhouse.query_timeout=7s"},
	})
	require.NoError(t, err)
	require.Equal(t, []string{"env:1", "env:2"}, cfg.Kafka.Brokers)
	require.Equal(t, "file", cfg.Kafka.TopicPrefix)
	require.Equal(t, "flag:1", cfg.HTTP.Addr)
	require.Equal(t, []string{"api"}, cfg.Roles)
	require.Equal(t, 7*time.Second, cfg.ClickHouse.QueryTimeout)
}

func TestASecretMayComeFromAFile(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte(strings.Repeat("s", 32)+"\n"), 0o600))
	cfg, err := config.Load(config.Sources{Env: []string{
		"FEEDRANK_AUTH__HS256_SECRET_FILE=" + secret,
		"FEEDRANK_KAFKA__TLS__CA_FILE=ca.pem",
	}})
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("s", 32), cfg.Auth.HS256Secret)
	require.Equal(t, "ca.pem", cfg.Kafka.TLS.CAFile, "a setting whose own name ends in _file is no secret's file")

	_, err = config.Load(config.Sources{Env: []string{"FEEDRANK_AUTH__HS256_SECRET_FILE=/does/not/exist"}})
	require.ErrorContains(t, err, "auth.hs256_secret")
}

func TestEveryMistakeIsNamedAtOnce(t *testing.T) {
	file := write(t, `
roles: [api, apy]
kafka:
  broker: [a:1]
  session_timeout: 10
clickhouse:
  max_conns: many
postgres:
  dsn: mysql://root:hunter2@db/app
auth:
  hs256_secret: short
`)
	_, err := config.Load(config.Sources{File: file, Set: []string{"nonsense"}})
	var problems config.Problems
	require.True(t, errors.As(err, &problems))
	text := err.Error()
	for _, part := range []string{
		"roles[1]: apy: want one of: all, api",
		"kafka.broker: unknown key; did you mean kafka.brokers?",
		"kafka.session_timeout: 10: want a duration with a unit",
		"clickhouse.max_conns: many: want a whole number",
		"postgres.dsn: (secret): want",
		"auth.hs256_secret: (secret): want",
		"--set: nonsense: key=value",
	} {
		require.Contains(t, text, part)
	}
	require.Len(t, problems, 7, text)
	require.NotContains(t, text, "hunter2")
	require.NotContains(t, text, "short")
}

func TestAFileThatCannotBeReadIsAProblemThatNamesIt(t *testing.T) {
	for file, want := range map[string]string{write(t, "kafka: ["): "want YAML", "missing.yaml": "no such file"} {
		_, err := config.Load(config.Sources{File: file})
		require.ErrorAs(t, err, &config.Problems{})
		require.ErrorContains(t, err, file)
		require.ErrorContains(t, err, want)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("kafka:\n  brokers: [a:1]\n", "FEEDRANK_HTTP__ADDR=:1", "http.addr=:2")
	f.Add("roles: {a: b}\nkafka: 3\n? [x]\n: y\n", "FEEDRANK___=1", "=")
	f.Fuzz(func(t *testing.T, text, env, set string) {
		if strings.Contains(env, "_FILE") {
			return // would read files of this machine
		}
		_, err := config.Load(config.Sources{File: write(t, text), Env: []string{env}, Set: []string{set}})
		if err != nil {
			require.NotEmpty(t, err.Error())
		}
	})
}

func TestAWrongMappingOfTheAppsTablesIsNamedWithItsKey(t *testing.T) {
	_, err := config.Load(config.Sources{Set: []string{
		"roles=cdc-consumer", "cdc.tables.post.table=posts", "cdc.tables.like.time_unit=weeks",
		"cdc.consumer.batch_age=5s", "cdc.consumer.deadline=4s",
	}})
	var problems config.Problems
	require.ErrorAs(t, err, &problems)
	for _, want := range []string{
		"cdc.tables.post.table: \"posts\", want schema.table", "cdc.tables.like.time_unit",
		"cdc.consumer.batch_age",
	} {
		require.ErrorContains(t, err, want)
	}
	require.Len(t, problems, 3)
}
