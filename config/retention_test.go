package config_test

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// setting is one that a document names with its default: `feed.store.seen_for` (24h).
var setting = regexp.MustCompile("`([a-z0-9_]+(?:\\.[a-z0-9_]+)+)` \\(([^)]+)\\)")

// TestSettingsOfRetentionHaveTheDefaultsThatAreDocumented reads config/personal-data.md and config/feedrank.yaml, which
// another test holds equal to the code.
func TestSettingsOfRetentionHaveTheDefaultsThatAreDocumented(t *testing.T) {
	document, err := os.ReadFile("personal-data.md")
	require.NoError(t, err)
	file, err := os.ReadFile("feedrank.yaml")
	require.NoError(t, err)
	var tree map[string]any
	require.NoError(t, yaml.Unmarshal(file, &tree))
	defaults := map[string]string{}
	flatten("", tree, defaults)
	named := setting.FindAllStringSubmatch(string(document), -1)
	require.Greater(t, len(named), 10)
	for _, m := range named {
		require.Contains(t, defaults, m[1], "there is no such setting")
		require.Equal(t, defaults[m[1]], m[2], m[1])
	}
}

func flatten(prefix string, tree map[string]any, into map[string]string) {
	for key, value := range tree {
		if below, ok := value.(map[string]any); ok {
			flatten(prefix+key+".", below, into)
			continue
		}
		into[prefix+key] = fmt.Sprint(value)
	}
}
