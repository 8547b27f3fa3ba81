package documented

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// guides are the documents whose commands people type. The bench's are in its own document.
var guides = []string{
	"README.md", "config/README.md", "config/personal-data.md", "config/prometheus/runbook.md",
	"modules/clients/README.md", "modules/console/README.md",
}

var (
	// typed are whole parts that tests type: test/e2e the README's, test/real the guide's.
	typed  = regexp.MustCompile(`(?s)<!-- (connect|first feed).*?<!-- /(connect|first feed) -->`)
	fences = regexp.MustCompile("(?s)```(\\w*)\n(.*?)```")
	inline = regexp.MustCompile("`([^`]+)`")
	cell   = regexp.MustCompile("(?m)^\\| ((?:`[a-z -]+`(?:, )?)+) \\|")
	remark = regexp.MustCompile(`\s+#.*`)
	// A command is of ours, of make or npm, of SQL, or a call of operators.
	command = regexp.MustCompile(`^(bin/)?feedrank |^make |^npm |^UPDATE |^(GET|PUT|POST|DELETE) /admin/`)
)

// Part is what stands in a document between the remarks that begin with <!-- name and <!-- /name.
func Part(t *testing.T, path, name string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "<!-- "+name)
	require.True(t, found)
	part, _, found := strings.Cut(rest, "<!-- /"+name+" -->")
	require.True(t, found)
	return part
}

// Fences are the blocks of a language.
func Fences(text, language string) (all []string) {
	for _, fence := range fences.FindAllStringSubmatch(text, -1) {
		if fence[1] == language {
			all = append(all, fence[2])
		}
	}
	return all
}

// Commands are what the guides tell people to type, with the document that does. root is the repository.
func Commands(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, guide := range guides {
		whole, err := os.ReadFile(filepath.Join(root, guide))
		require.NoError(t, err)
		text := typed.ReplaceAllString(string(whole), "")
		add := func(line string) {
			if line = strings.Join(strings.Fields(remark.ReplaceAllString(line, "")), " "); command.MatchString(line) {
				all[line] = guide
			}
		}
		for _, fence := range Fences(text, "sh") {
			for line := range strings.Lines(fence) {
				add(line)
			}
		}
		text = fences.ReplaceAllString(text, "")
		for _, span := range inline.FindAllStringSubmatch(text, -1) {
			add(span[1])
		}
		_, table, _ := strings.Cut(text, "\n| command | |\n") // of what feedrank can be told
		table, _, _ = strings.Cut(table, "\n\n")
		for _, row := range cell.FindAllStringSubmatch(table, -1) {
			for _, name := range inline.FindAllStringSubmatch(row[1], -1) {
				add("feedrank " + name[1])
			}
		}
	}
	return all
}
