package layers_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// families are the packages of the large features, from the lowest to what all others are put together in. Those of one
// line do not know each other.
var families = map[string][][]string{
	"cdc": {
		{"/envelope"},
		{"/pgvalue", "/mapping"},
		{"/source", "/replica", "/tail"},
		{"/schema"},
		{"/consumer", "/resync", "/propose"},
		{""},
	},
	"events": {
		{"/codec", "/window"},
		{"/counting", "/importer", "/posts"},
		{"/ledger", "/ingest"},
		{"/dedup"},
		{"/partition"},
		{"/consumer"},
		{""},
	},
	"feed": {
		{"/take"},
		{
			"/absent", "/cursor", "/daily", "/guards", "/idset", "/metrics", "/rank", "/reserve", "/stages",
			"/token",
		},
		{"/filters", "/hot", "/marks", "/recentedges", "/tuning"},
		{"/published", "/shortlist", "/store", "/updates"},
		{"/graph", "/ondemand", "/page", "/refill", "/viewer"},
		{"/candidates"},
		{""},
		{"/httpapi"},
	},
}

func TestPackagesOfAFeatureImportLowerOnesOnly(t *testing.T) {
	for feature, layers := range families {
		family := "github.com/feedrank/feedrank/modules/" + feature
		heights := map[string]int{}
		for height, layer := range layers {
			for _, name := range layer {
				heights[family+name] = height
			}
		}
		list := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`,
			"./modules/"+feature+"/...")
		list.Dir = "../.."
		out, err := list.Output()
		require.NoError(t, err)
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		require.Len(t, lines, len(heights), "each package of %s stands in the list", feature)
		for _, line := range lines {
			pkg, imports, _ := strings.Cut(line, " ")
			height, listed := heights[pkg]
			require.True(t, listed, "%s has no place in the order", pkg)
			for imported := range strings.FieldsSeq(imports) {
				if below, ours := heights[imported]; ours {
					require.Less(t, below, height, "%s imports %s, which does not stand below it", pkg, imported)
				}
			}
		}
	}
}
