package propose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
)

// What gives posts labels, by the names of columns.
var (
	languageNames = []string{"language", "language_code", "language_id", "lang", "locale"}
	contentFlags  = []string{"sensitive", "is_sensitive", "nsfw", "is_nsfw", "mature", "is_mature"}
	tagNames      = []string{"tags", "tag_list", "cached_tag_list", "tag_names"}
)

// setLabels proposes labels of a post's language, of what not everybody wants to see, and of its tags.
func (c *candidate) setLabels() {
	if column := exact(c.table, languageNames, func(string) bool { return true }); column != "" {
		c.label(mapping.LabelRule{Column: column, Prefix: "lang:"}, column)
	}
	for _, column := range c.table.Columns {
		if name := plain(column); slices.Contains(contentFlags, name) && c.table.IsFlag(column) {
			c.label(mapping.LabelRule{
				Label: strings.TrimPrefix(name, "is_"), When: []mapping.Condition{{Column: column, Is: "true"}},
			}, column)
		}
	}
	if column := exact(c.table, tagNames, func(string) bool { return true }); column != "" {
		switch c.table.OIDs[column] {
		case pgtype.TextArrayOID, pgtype.VarcharArrayOID:
			c.label(mapping.LabelRule{Column: column, Prefix: "tag:"}, column)
		case pgtype.TextOID, pgtype.VarcharOID:
			c.label(mapping.LabelRule{Column: column, Prefix: "tag:", Split: ","}, column)
			c.asked = append(c.asked, "are the tags in "+column+" parted by commas?")
		}
	}
}

func (c *candidate) label(rule mapping.LabelRule, column string) {
	c.mapped.Labels = append(c.mapped.Labels, rule)
	c.reasons = append(c.reasons, "labels by "+column)
}

func writeLabels(b *strings.Builder, rules []mapping.LabelRule) {
	if len(rules) == 0 {
		return
	}
	b.WriteString("      labels:\n")
	for _, r := range rules {
		if r.Label != "" {
			fmt.Fprintf(b, "        - {label: %s, when: [{column: %s, is: %s}]}\n", plainScalar(r.Label),
				plainScalar(r.When[0].Column), plainScalar(r.When[0].Is))
			continue
		}
		split := ""
		if r.Split != "" {
			split = ", split: " + plainScalar(r.Split)
		}
		fmt.Fprintf(b, "        - {column: %s, prefix: %s%s}\n", plainScalar(r.Column), plainScalar(r.Prefix), split)
	}
}
