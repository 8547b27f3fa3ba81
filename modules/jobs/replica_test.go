package jobs_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/jobs"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// replicaEnv makes this test program a replica of that database.
const replicaEnv = "FEEDRANK_JOBS_TEST_REPLICA"

// gates is where the jobs of the replicas publish, and what holds them up: what was published is
// fenced by the number of the lead.
const gates = `
CREATE TABLE gate (open boolean NOT NULL);
INSERT INTO gate VALUES (false);
CREATE TABLE published (lead bigint NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())`

// publish tells whether the fence let it.
func publish(ctx context.Context, pool *pgxpool.Pool, lead int64) (bool, error) {
	tag, err := pool.Exec(ctx,
		"INSERT INTO published (lead) SELECT $1 WHERE NOT EXISTS (SELECT FROM published WHERE lead > $1)", lead)
	return tag.RowsAffected() == 1, err
}

// runReplica runs one stubborn job: it waits for the gate, whatever happens to its lead meanwhile,
// and then publishes. It tells what it does line by line.
func runReplica(dsn string) int {
	cfg := postgres.DefaultConfig()
	cfg.DSN = dsn
	ctx := context.Background()
	pool, err := postgres.NewPool(ctx, cfg)
	if err != nil {
		return 2
	}
	defer pool.Close()
	job := jobs.Job{
		Name: "stubborn", Every: time.Second, Timeout: time.Minute,
		Run: func(_ context.Context, lead int64) error {
			say("begun %d", lead)
			for open := false; !open; {
				if err := pool.QueryRow(ctx, "SELECT open, pg_sleep(0.05) IS NULL FROM gate").Scan(&open,
					nil); err != nil {
					return err
				}
			}
			accepted, err := publish(ctx, pool, lead)
			say("published %d %t", lead, accepted)
			return err
		},
	}
	r, err := jobs.NewRunner(jobs.Params{
		Config: jobs.DefaultConfig(), Jobs: []jobs.Job{job}, Postgres: cfg, Pool: pool, Clock: core.SystemClock{},
		Log: zap.NewNop(), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		return 2
	}
	if err := r.Start(ctx); err != nil {
		return 2
	}
	say("started 0")
	_, _ = bufio.NewReader(os.Stdin).ReadByte() // until the test ends, or hangs up
	return 0
}

func say(format string, args ...any) { _, _ = fmt.Fprintf(os.Stdout, format+"\n", args...) }

// replica is such a process.
type replica struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string
}

func startReplica(t *testing.T, dsn string) *replica {
	t.Helper()
	cmd := exec.Command(os.Args[0]) // this program itself
	cmd.Env = append(os.Environ(), replicaEnv+"="+dsn)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	r := &replica{t: t, cmd: cmd, lines: make(chan string, 1000)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for s := bufio.NewScanner(out); s.Scan(); {
			r.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		r.signal(syscall.SIGCONT)
		_ = in.Close()
		r.signal(syscall.SIGKILL)
		<-read
		_ = cmd.Wait()
	})
	r.expect("started 0")
	return r
}

func (r *replica) signal(s syscall.Signal) { _ = r.cmd.Process.Signal(s) }

// expect passes over what else it says.
func (r *replica) expect(line string) {
	r.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case said := <-r.lines:
			if said == line {
				return
			}
		case <-deadline:
			r.t.Fatalf("waited for %q", line)
		}
	}
}
