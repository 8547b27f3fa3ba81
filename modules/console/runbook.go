package console

import (
	"regexp"
	"strings"
)

// runbookView is what to do when something is wrong.
type runbookView struct {
	One     bool
	Entries []runbookEntry
}

type runbookEntry struct {
	Name  string
	Parts []struct{ Name, Text string }
}

func (c *Console) runbook(v *visit) error {
	wanted := v.QueryParam("entry")
	view := runbookView{One: wanted != ""}
	for _, entry := range entries(c.process.Runbook) {
		if wanted == "" || entry.Name == wanted {
			view.Entries = append(view.Entries, entry)
		}
	}
	return v.show("runbook", "Runbook", "", view)
}

var (
	markup = strings.NewReplacer("`", "", "**", "")
	linked = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// entries reads "## Name" with "- **Part**: text" below it, as text.
func entries(document string) (all []runbookEntry) {
	_, document, _ = strings.Cut(document, "\n# Alerts\n")
	document, _, _ = strings.Cut(document, "\n# ")
	for section := range strings.SplitSeq("\n"+document, "\n## ") {
		name, rest, ok := strings.Cut(section, "\n")
		if !ok || strings.TrimSpace(name) == "" {
			continue
		}
		entry := runbookEntry{Name: strings.TrimSpace(name)}
		for part := range strings.SplitSeq("\n"+rest, "\n- **") {
			called, text, found := strings.Cut(part, "**:")
			if !found {
				continue
			}
			text = linked.ReplaceAllString(strings.Join(strings.Fields(text), " "), "$1")
			entry.Parts = append(entry.Parts, struct{ Name, Text string }{called, markup.Replace(text)})
		}
		all = append(all, entry)
	}
	return all
}
