package cdc_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPackagesImportOnlyLowerOnes holds the order of doc.go: those of one line do not know each other.
func TestPackagesImportOnlyLowerOnes(t *testing.T) {
	const family = "github.com/feedrank/feedrank/modules/cdc"
	heights := map[string]int{}
	for height, layer := range [][]string{
		{"/envelope"},
		{"/pgvalue", "/mapping"},
		{"/source", "/replica", "/tail"},
		{"/schema"},
		{"/consumer", "/resync"},
		{""},
	} {
		for _, name := range layer {
			heights[family+name] = height
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`,
		"./...").Output()
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, len(heights), "each package stands in the list")
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
