package jobs_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/jobs"
	"github.com/feedrank/feedrank/test/wait"
)

// A leader has decided on a run, and before it begins another has the lead: so it is with one that was
// frozen in between. Its run is refused, and it finds out that it leads no more.
func TestARunThatWasDecidedOnBeforeTheLeadPassedOnDoesNotBegin(t *testing.T) {
	db := newDatabase(t)
	ran := make(chan int64, 10)
	db.start(db.cfg, jobs.Job{
		Name: "seldom", Every: time.Hour, Timeout: time.Minute,
		Run: func(_ context.Context, lead int64) error {
			ran <- lead
			return nil
		},
	})
	require.Equal(t, int64(1), receive(t, ran))

	passing, err := db.pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = passing.Exec(t.Context(), "UPDATE feedrank.job_lead SET number = 2, holder = 'another'")
	require.NoError(t, err)
	rec, err := caller(t, db)(http.MethodPost, "/admin/v1/jobs/seldom/run")
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, rec.Code)
	wait.Until(t, func() bool { // the run is about to begin, and waits for the row
		return db.text(`SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%job_runs%'`) == "1"
	})
	require.NoError(t, passing.Commit(t.Context()))

	require.Equal(t, int64(3), receive(t, ran), "it competed again, and what was asked for still is")
	require.Equal(t, "1,3", db.text("SELECT string_agg(lead::text, ',' ORDER BY id) FROM feedrank.job_runs"))
}
