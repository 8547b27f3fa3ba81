package jobs_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/wait"
)

// takeover is what is promised: somebody else leads within so long.
const takeover = 10 * time.Second

func TestALeaderThatIsKilledIsReplaced(t *testing.T) {
	db := newDatabase(t)
	one := startReplica(t, db.cfg.DSN)
	one.expect("begun 1")
	two := startReplica(t, db.cfg.DSN)
	db.waitForACompetitor()
	one.signal(syscall.SIGKILL)
	killed := time.Now()
	two.expect("begun 2")
	took := time.Since(killed)
	t.Logf("a killed leader was replaced after %s", took.Round(time.Millisecond))
	require.Less(t, took, takeover)
	require.Equal(t, "lost", db.text("SELECT string_agg(outcome, ',') FROM feedrank.job_runs WHERE lead = 1"))
}

func TestALeaderThatIsFrozenIsReplacedAndPublishesNothingWhenItWakes(t *testing.T) {
	db := newDatabase(t)
	one := startReplica(t, db.cfg.DSN)
	one.expect("begun 1")
	two := startReplica(t, db.cfg.DSN)
	db.waitForACompetitor()
	one.signal(syscall.SIGSTOP)
	frozen := time.Now()
	two.expect("begun 2")
	took := time.Since(frozen)
	t.Logf("a frozen leader was replaced after %s", took.Round(time.Millisecond))
	require.Less(t, took, takeover)

	db.exec("UPDATE gate SET open = true")
	two.expect("published 2 true")
	one.signal(syscall.SIGCONT)
	one.expect("published 1 false")
	require.Equal(t, "2", db.text("SELECT string_agg(DISTINCT lead::text, ',') FROM published"))

	two.signal(syscall.SIGKILL)
	one.expect("begun 3") // the one that was frozen competes again
}

// waitForACompetitor returns once a replica without the lead has tried for it.
func (db *database) waitForACompetitor() {
	db.t.Helper()
	wait.Until(db.t, func() bool {
		return db.text(`SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database()
			AND application_name = 'feedrank jobs' AND query LIKE '%pg_try_advisory_lock%' AND state = 'idle'`) == "1"
	})
}
