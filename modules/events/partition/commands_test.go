package partition

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestTheOwnerReconcilesDaysOnRequest(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := newFakePartition(s, 5, 6)
	o := fake.run(t.Context(), noFailpoints{})
	wait.Until(t, func() bool { return fake.committed.Load() == int64(len(fake.log)) })
	r := ledger.NewOwners(fake.cfg.Log, fake.cfg.InsertTimeout, s.ClickHouse, core.SystemClock{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	wrong, err := r.Reconcile(ctx, 5, r.Complete(), time.Now())
	require.NoError(t, err)
	require.Zero(t, wrong)
	s.Exec(t, "TRUNCATE TABLE post_metrics_1h")
	s.Exec(t, "INSERT INTO user_author_90d SELECT * FROM user_author_90d")
	wrong, err = r.Reconcile(ctx, 5, r.Complete(), time.Now())
	require.NoError(t, err)
	require.Positive(t, wrong)
	fake.requireExact(t)

	_, err = r.Reconcile(ctx, 5, r.Complete().Add(-time.Hour), time.Now())
	require.ErrorContains(t, err, "complete only from")
	_, err = r.Reconcile(ctx, 1024, r.Complete(), time.Now())
	require.ErrorContains(t, err, "there are 1024")
	o.cancel()
	<-o.done
	gone, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err = r.Reconcile(gone, 5, r.Complete(), time.Now())
	require.ErrorContains(t, err, "is an events consumer running?")
}

func TestARecordThatClickHouseRefusesIsQuarantinedOnRequest(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := newFakePartition(s, 6, 7)
	bad := stack.RandomEvents(newRand(9), 1)[0]
	// no state: what others expect of states is theirs
	bad.UserID, bad.PostID, bad.Action = core.ID(mustUser(fake)), 666, core.ActionView
	offset := fake.append(bad).Offset
	fake.poison++ // it ends as one
	s.Exec(t, "ALTER TABLE events ADD CONSTRAINT no_ones CHECK post_id != 666")
	o := fake.run(t.Context(), noFailpoints{})
	stopped := fake.metrics.stopped.WithLabelValues("6")
	wait.Until(t, func() bool { return testutil.ToFloat64(stopped) == 1 })

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	sent, err := ledger.NewOwners(fake.cfg.Log, fake.cfg.InsertTimeout, s.ClickHouse,
		core.SystemClock{}).Quarantine(ctx, 6, offset, offset)
	require.NoError(t, err)
	require.EqualValues(t, 1, sent)
	fake.through(t, o)
	fake.requireExact(t)
	require.Equal(t, 1, fake.dead.Reasons()[deadQuarantined])
}
