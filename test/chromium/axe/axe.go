// Package axe looks at the accessibility of a page with axe-core, which npm fetches by the lock file beside this.
package axe

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"

	"github.com/feedrank/feedrank/test/npm"
)

// Finding is a rule that a page breaks.
type Finding struct {
	Rule   string   `json:"rule"`
	Impact string   `json:"impact"` // minor, moderate, serious or critical
	Help   string   `json:"help"`
	Places []string `json:"places"` // what breaks it, and why
}

// Serious tells whether it keeps people out.
func (f Finding) Serious() bool { return f.Impact == "serious" || f.Impact == "critical" }

func (f Finding) String() string {
	return fmt.Sprintf("%s (%s): %s\n    %s", f.Rule, f.Impact, f.Help, strings.Join(f.Places, "\n    "))
}

// Axe is the script.
type Axe struct{ script string }

// Load reads the script, and has it fetched where it is not here, or of another version.
func Load(ctx context.Context) (*Axe, error) {
	dir, err := npm.Fetched(ctx, "test/chromium/axe", "axe-core")
	if err != nil {
		return nil, err
	}
	script, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		return nil, err
	}
	return &Axe{script: string(script)}, nil
}

// Look finds what is wrong with the page that is shown, by every rule or by some.
func (a *Axe) Look(ctx context.Context, rules ...string) ([]Finding, error) {
	options := map[string]any{"resultTypes": []string{"violations"}}
	if len(rules) > 0 {
		options["runOnly"] = rules
	}
	text, err := json.Marshal(options)
	if err != nil {
		return nil, err
	}
	said, err := chromedp.Run(ctx, chromedp.Evaluate[string](`window.axe || (() => {`+a.script+`})();
		axe.run(document, `+string(text)+`).then(found => JSON.stringify(found.violations.map(v => ({
			rule: v.id, impact: v.impact, help: v.help,
			places: v.nodes.map(n => n.html + " " + n.failureSummary.replace(/\s+/g, " ")),
		}))))`, chromedp.EvalAwaitPromise))
	if err != nil {
		return nil, err
	}
	var found []Finding
	return found, json.Unmarshal([]byte(said), &found)
}
