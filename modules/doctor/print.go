package doctor

import (
	"fmt"
	"io"
	"strings"
)

// Print writes the report for a terminal.
func (r Report) Print(out io.Writer) error {
	var b strings.Builder
	for i, f := range r.Findings {
		fmt.Fprintf(&b, "%d. %-6s  %s: %s\n           %s\n", i+1, strings.ToUpper(f.Level.String()), f.Area,
			strings.ReplaceAll(f.Says, "\n", "\n           "), "→ "+f.Do)
	}
	if len(r.NotLooked) > 0 {
		fmt.Fprintf(&b, "not looked at:\n  %s\n", strings.Join(r.NotLooked, "\n  "))
	}
	switch {
	case r.Well() && len(r.NotLooked) == 0:
		fmt.Fprintf(&b, "all is well: %d things were looked at\n", len(r.Looked))
	case r.Well():
		fmt.Fprintf(&b, "all that was looked at is well: %d things\n", len(r.Looked))
	default:
		fmt.Fprintf(&b, "%d to fix, of %d things that were looked at\n", len(r.Findings), len(r.Looked))
	}
	_, err := io.WriteString(out, b.String())
	return err
}
