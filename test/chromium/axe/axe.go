// Package axe looks at the accessibility of a page with axe-core, which npm fetches by the lock file beside this.
package axe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"
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
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	if !fetched(dir) {
		npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
		npm.Dir = dir
		if out, err := npm.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("npm ci in %s: %w: %s", dir, err, out)
		}
	}
	script, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		return nil, err
	}
	return &Axe{script: string(script)}, nil
}

// folder is where the lock file is: tests run in the folder of their package.
func folder() (string, error) {
	at, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return filepath.Join(at, "test", "chromium", "axe"), nil
		}
		up := filepath.Dir(at)
		if up == at {
			return "", errors.New("this is not within the repository")
		}
		at = up
	}
}

// fetched tells whether the version that is pinned is here.
func fetched(dir string) bool {
	var pinned struct {
		Dependencies map[string]string `json:"devDependencies"`
	}
	var here struct {
		Version string `json:"version"`
	}
	return read(filepath.Join(dir, "package.json"), &pinned) &&
		read(filepath.Join(dir, "node_modules", "axe-core", "package.json"), &here) &&
		here.Version != "" && here.Version == pinned.Dependencies["axe-core"]
}

func read(file string, into any) bool {
	text, err := os.ReadFile(file)
	return err == nil && json.Unmarshal(text, into) == nil
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
