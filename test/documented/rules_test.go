package documented

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// rule is one of alerts.yml: it alerts, or records.
type rule struct {
	Alert       string
	Record      string
	Expr        string
	Annotations map[string]string
}

func rules(t *testing.T) (all []rule) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	read(t, "alerts.yml", &file)
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "config", "prometheus", name))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into))
}

// measured is the name of a metric of ours.
var measured = regexp.MustCompile(`feedrank_[a-z0-9_]+`)

// TestEveryAlertIsShownToFire holds alerts_test.yml, which promtool runs in test/real/watch, to alerts.yml.
func TestEveryAlertIsShownToFire(t *testing.T) {
	var file struct {
		Tests []struct {
			Series []struct{ Series string } `yaml:"input_series"`
			Checks []struct {
				Expr    string
				Samples []struct{ Labels string } `yaml:"exp_samples"`
			} `yaml:"promql_expr_test"`
		}
	}
	read(t, "alerts_test.yml", &file)
	require.NotEmpty(t, file.Tests)
	var fires, well strings.Builder
	for _, test := range file.Tests {
		for _, check := range test.Checks {
			for _, sample := range check.Samples {
				fires.WriteString(check.Expr + sample.Labels + "\n")
			}
		}
	}
	for _, series := range file.Tests[0].Series {
		well.WriteString(series.Series + "\n")
	}
	for _, rule := range rules(t) {
		if rule.Alert != "" {
			require.Containsf(t, fires.String(), `alertname="`+rule.Alert+`"`, "%s is not shown to fire", rule.Alert)
		}
		for _, name := range measured.FindAllString(rule.Expr, -1) {
			require.Containsf(t, well.String(), name, "%s: not among what is well", rule.Alert+rule.Record)
		}
	}
}
