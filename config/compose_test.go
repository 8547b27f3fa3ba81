package config_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/feedrank/feedrank/config"
)

type composeFile struct {
	Services map[string]struct {
		Command     []string          `yaml:"command"`
		Environment map[string]string `yaml:"environment"`
		Volumes     []string          `yaml:"volumes"`
	} `yaml:"services"`
	Volumes map[string]any `yaml:"volumes"`
}

// TestTheStackForDockerHasSecretsOfItsOwnAndStartsWithThem does what can be done without Docker: the script that makes
// the secrets runs, the program's environment is read with them, and what is mounted is there.
func TestTheStackForDockerHasSecretsOfItsOwnAndStartsWithThem(t *testing.T) {
	text, err := os.ReadFile("compose.yaml")
	require.NoError(t, err)
	var file composeFile
	require.NoError(t, yaml.Unmarshal(text, &file))

	dir := t.TempDir()
	inside := func(s string) string { return strings.ReplaceAll(s, "/secrets", dir) }
	script := strings.ReplaceAll(inside(file.Services["secrets"].Command[0]), "$$", "$")
	var before string
	for range 2 { // a second start keeps them
		out, err := exec.CommandContext(t.Context(), "sh", "-ec", script).CombinedOutput()
		require.NoError(t, err, string(out))
		secret, err := os.ReadFile(filepath.Join(dir, "auth"))
		require.NoError(t, err)
		require.Regexp(t, "^[0-9a-f]{64}$", string(secret))
		if before != "" {
			require.Equal(t, before, string(secret))
		}
		before = string(secret)
	}
	database, err := os.ReadFile(filepath.Join(dir, "database"))
	require.NoError(t, err)
	require.NotEqual(t, before, string(database))

	var environment []string
	for name, value := range file.Services["feedrank"].Environment {
		environment = append(environment, name+"="+inside(value))
	}
	cfg, err := config.Load(config.Sources{Env: environment})
	require.NoError(t, err)
	require.NoError(t, config.CheckPublished(cfg))
	require.Equal(t, before, cfg.Auth.HS256Secret)
	require.Equal(t, string(database), cfg.ClickHouse.Password)
	parsed, err := pgx.ParseConfig(cfg.Postgres.DSN)
	require.NoError(t, err)
	require.Equal(t, string(database), parsed.Password)

	for name, service := range file.Services {
		for _, volume := range service.Volumes {
			from, _, _ := strings.Cut(volume, ":")
			if strings.HasPrefix(from, ".") {
				_, err := os.Stat(from)
				require.NoError(t, err, name)
			} else {
				require.Contains(t, file.Volumes, from, name)
			}
		}
		for variable, value := range service.Environment {
			if strings.Contains(variable, "PASSWORD") || strings.Contains(variable, "SECRET") {
				require.Truef(t, strings.HasPrefix(value, "/secrets/"), "%s: %s is no file of a secret", name, variable)
			}
		}
	}
}
