package proc_test

import (
	"bufio"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/platform/proc"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// family starts a shell with a child of its own and returns both ids.
func family(t *testing.T) (shell *proc.Child, grandchild int) {
	t.Helper()
	cmd := exec.Command("sh", "-c", "sleep 60 & echo $!; wait")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	shell, err = proc.Start(cmd, syscall.SIGKILL)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, proc.KillTree(shell.PID()))
		<-shell.Done()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	grandchild, err = strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	return shell, grandchild
}

func TestATreeIsStoppedContinuedAndKilledAsOne(t *testing.T) {
	shell, grandchild := family(t)
	below, err := proc.Descendants(shell.PID())
	require.NoError(t, err)
	require.Equal(t, []int{grandchild}, below)

	tree, err := proc.StopTree(shell.PID())
	require.NoError(t, err)
	require.Equal(t, []int{shell.PID(), grandchild}, tree)
	require.Equal(t, map[int]byte{shell.PID(): 'T', grandchild: 'T'}, states(t, tree))
	require.True(t, proc.Alive(grandchild), "a stopped one lives")

	require.NoError(t, proc.ContinueTree(tree))
	wait.Until(t, func() bool { return states(t, tree)[grandchild] == 'S' })

	require.NoError(t, proc.KillTree(shell.PID()))
	require.True(t, shell.WaitFor(5*time.Second))
	require.Error(t, shell.Err())
	wait.Until(t, func() bool { return !proc.Alive(grandchild) })
}

func TestWhatIsGoneCanBeSignalledWithoutAnError(t *testing.T) {
	child, err := proc.Start(exec.Command("true"), syscall.SIGKILL)
	require.NoError(t, err)
	<-child.Done()
	require.NoError(t, child.Err())
	require.NoError(t, child.Signal(syscall.SIGTERM))
	require.False(t, proc.Alive(child.PID()))
}

func TestAProgramThatIsNotThereIsAnErrorOfStart(t *testing.T) {
	_, err := proc.Start(exec.Command("/nonexistent/program"), syscall.SIGKILL)
	require.ErrorContains(t, err, "/nonexistent/program")
}

// A death signal is sent when the thread that forked exits. Go ends the thread of
// a goroutine that has locked it and returns.
func TestAChildOutlivesTheThreadThatAskedForIt(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	var child *proc.Child
	var err error
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		runtime.LockOSThread()
		child, err = proc.Start(cmd, syscall.SIGKILL)
	}()
	<-returned
	require.NoError(t, err)
	require.False(t, child.WaitFor(300*time.Millisecond), "it must not end with the thread")
	require.NoError(t, child.Signal(syscall.SIGKILL))
	<-child.Done()
}

func states(t *testing.T, pids []int) map[int]byte {
	t.Helper()
	table, err := proc.Table()
	require.NoError(t, err)
	found := map[int]byte{}
	for _, p := range table {
		for _, pid := range pids {
			if p.PID == pid {
				found[pid] = p.State
			}
		}
	}
	return found
}
