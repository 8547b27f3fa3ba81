package config_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
)

// TestTheManifestsAreOfThisChartAndTheirSettingsLoad needs no Helm: `make chart` renders the chart and says its sum.
func TestTheManifestsAreOfThisChartAndTheirSettingsLoad(t *testing.T) {
	written, err := os.ReadFile("kubernetes/feedrank.yaml")
	require.NoError(t, err)
	text := string(written)
	hash := sha256.New()
	require.NoError(t, filepath.WalkDir("helm/feedrank", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "alerts.yml" {
			return err
		}
		part, err := os.ReadFile(path)
		hash.Write(part)
		return err
	}))
	require.Contains(t, strings.SplitN(text, "\n", 2)[0], hex.EncodeToString(hash.Sum(nil)),
		"the chart or its values changed: run make chart")

	env := []string{withSecret}
	for _, m := range regexp.MustCompile(`- name: (FEEDRANK_[A-Z0-9_]+)\n`).FindAllStringSubmatch(text, -1) {
		if strings.HasSuffix(m[1], "_DSN") {
			env = append(env, m[1]+"=postgres://a:b@postgres:5432/app")
		} else if !strings.HasPrefix(withSecret, m[1]) {
			env = append(env, m[1]+"=a")
		}
	}
	require.Greater(t, len(env), 2)
	files := regexp.MustCompile(`(?m)^  feedrank\.yaml: \|\n((?:    .*\n)+)`).FindAllStringSubmatch(text, -1)
	require.Len(t, files, 2, "the program's and the migration's")
	for _, m := range files {
		file := write(t, regexp.MustCompile(`(?m)^    `).ReplaceAllString(m[1], ""))
		_, err := config.Load(config.Sources{File: file, Env: env})
		require.NoError(t, err)
	}
}
