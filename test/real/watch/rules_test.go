//go:build real

package watch_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// rulesDir is where alerts, their tests and Prometheus' configuration are.
const rulesDir = "../../../config/prometheus"

func TestEachAlertFiresAndNoneDoesWhenAllIsWell(t *testing.T) {
	for _, args := range [][]string{{"check", "config", "prometheus.yml"}, {"test", "rules", "alerts_test.yml"}} {
		command := exec.CommandContext(t.Context(), "promtool", args...)
		command.Dir = rulesDir
		out, err := command.CombinedOutput()
		require.NoErrorf(t, err, "promtool %v: %s", args, out)
	}
}
