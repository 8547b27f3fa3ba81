package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
)

func TestTheUnitsOfSystemdStartRolesThatExistAndWaitForTheirEnd(t *testing.T) {
	units, err := filepath.Glob("systemd/*.service")
	require.NoError(t, err)
	require.Len(t, units, 2)
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		require.NoError(t, err)
		for _, role := range regexp.MustCompile(`feedrank@([a-z-]+)`).FindAllStringSubmatch(string(text), -1) {
			if role[1] == "" || strings.HasPrefix(role[0], "feedrank@.") {
				continue
			}
			_, err := config.Load(config.Sources{Under: config.DevDefaults(), Set: []string{"roles=" + role[1]}})
			require.NoError(t, err, role[1])
		}
		waits := regexp.MustCompile(`(?m)^TimeoutStopSec=(\d+)$`).FindSubmatch(text)
		require.NotNil(t, waits)
		seconds, err := time.ParseDuration(string(waits[1]) + "s")
		require.NoError(t, err)
		require.Greater(t, seconds, config.Default().Lifecycle.StopTimeout, "%s kills what is still draining", unit)
	}
}
