//go:build !production

package lab_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app/cli"
	"github.com/feedrank/feedrank/app/lab"
	"github.com/feedrank/feedrank/modules/lab/embedded/binaries"
	"github.com/feedrank/feedrank/modules/platform/proc"
	"github.com/feedrank/feedrank/test/installed"
)

func TestMain(m *testing.M) {
	lab.RunChildIfAsked()
	installed.BeIfAsked(func() int { return cli.Main("test", lab.Commands()...) })
	os.Exit(m.Run())
}

// ends is how long the demo may take to end its servers.
const ends = time.Minute

// TestTheDemoEndsWithCommandsThatWork runs the demo as `make demo` does, then types what it prints at its end. So all
// its steps must hold, and doctor must find nothing broken or at risk in what they left.
func TestTheDemoEndsWithCommandsThatWork(t *testing.T) {
	dir := installed.Dir(t)
	if os.Getenv(binaries.FolderEnv) == "" { // those of this checkout: the demo runs elsewhere
		servers, err := filepath.Abs("../../modules/lab/embedded")
		require.NoError(t, err)
		t.Setenv(binaries.FolderEnv, servers)
	}

	feedrank := filepath.Join(dir, "bin", "feedrank")
	demo := exec.Command(feedrank, "demo", "--trials", "1", "--set", "http.addr=127.0.0.1:0")
	demo.Dir, demo.Stderr = dir, os.Stderr
	out, err := demo.StdoutPipe()
	require.NoError(t, err)
	child, err := proc.Start(demo, syscall.SIGTERM)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, proc.KillTree(child.PID())) })

	var screen, commands []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := lines.Text()
		screen = append(screen, line)
		if strings.HasPrefix(line, "Now it is yours") {
			commands = []string{"set -euxo pipefail", `curl() { command curl -fsS -o /dev/null "$@"; }`}
		} else if commands != nil && strings.HasPrefix(line, "  ") {
			commands = append(commands, line)
		}
		if strings.Contains(line, "Ctrl-C") {
			break
		}
	}
	require.NoError(t, lines.Err())
	shown := strings.Join(screen, "\n")
	require.NotContains(t, shown, "did not hold", shown)
	require.NotNil(t, commands, shown)

	script := typed(commands)
	require.Contains(t, script, "bin/feedrank doctor")
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.Contains(t, string(said), "all that was looked at is well", "of doctor")
	require.Regexp(t, `well: 1[89] things`, string(said))

	require.NoError(t, child.Signal(syscall.SIGTERM))
	require.True(t, child.WaitFor(ends), "the demo does not end")
	require.NoError(t, child.Err())
}

// typed is what somebody would type of these lines: not the link into the console, and psql where there is one.
func typed(lines []string) string {
	kept := lines[:0]
	for _, line := range lines {
		switch first, _, _ := strings.Cut(strings.TrimSpace(line), " "); {
		case strings.HasPrefix(first, "http"):
		case first == "psql":
			if _, err := exec.LookPath(first); err == nil {
				kept = append(kept, line+" -c 'SELECT count(*) FROM posts'")
			}
		default:
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}
