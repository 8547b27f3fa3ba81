package console

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheGuideNamesPagesThatAreThere holds the guide for product people to the routes: it names each page that one may
// open by itself, and none that is not there.
func TestTheGuideNamesPagesThatAreThere(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	named := map[string]bool{}
	for _, path := range regexp.MustCompile("`(/console[a-z/-]*)`").FindAllStringSubmatch(string(text), -1) {
		named[path[1]] = true
	}
	pages := map[string]bool{}
	for _, r := range (&Console{}).Routes() {
		pages[r.Path] = true
	}
	for path := range named {
		require.True(t, pages[path], "%s is no page", path)
	}
	for _, path := range []string{
		"", "/feed", "/feed/compare", "/why-not", "/ranking", "/quality", "/trending", "/suggestions", "/pipeline",
		"/dead-letters", "/operations", "/runbook", "/actions",
	} {
		require.True(t, named["/console"+path], "the guide does not name %s", path)
	}
}
