package ledger

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestRowsOfSeveralPartitionsGoInOneStatementAndFailApart(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	shared := newWriter(s.ClickHouse, core.SystemClock{}, 1000, 10*time.Second)
	const partitions = 8
	var ledgers [partitions]*Partition
	var fences [partitions]Fence
	for i := range ledgers {
		ledgers[i] = ledgerOf(s, int32(i))
		ledgers[i].writer = shared
		fences[i] = nextFence(t, ledgers[i])
	}
	insert := func(offset int64) (errs [partitions]error) {
		var all sync.WaitGroup
		shared.rows.turn <- struct{}{} // a statement is under way
		for i := range ledgers {
			all.Go(func() { errs[i] = ledgers[i].insertRows(t.Context(), fences[i], oneRow(offset)) })
		}
		wait.Until(t, func() bool {
			shared.rows.mu.Lock()
			defer shared.rows.mu.Unlock()
			return len(shared.rows.waiting) == partitions
		})
		<-shared.rows.turn
		all.Wait()
		return errs
	}
	require.Equal(t, [partitions]error{}, insert(1))
	require.Equal(t, 1, s.Count(t, "SELECT uniqExact(_part) + countIf(NOT endsWith(_part, '_0')) AS n FROM events"),
		"one part that was not merged: one statement")
	require.Equal(t, partitions, s.Count(t, "SELECT count() AS n FROM events"))

	nextFence(t, ledgers[3]) // somebody takes one of the partitions
	errs := insert(2)
	require.ErrorIs(t, errs[3], ErrFenced)
	for i, err := range errs {
		require.Error(t, err, "the statement is refused as a whole")
		if i != 3 {
			require.NotErrorIs(t, err, ErrFenced, "the others still hold theirs")
		}
	}
	require.Equal(t, partitions, s.Count(t, "SELECT count() AS n FROM events"), "nothing of it was written")

	running, err := ledgers[3].Running(t.Context())
	require.NoError(t, err)
	require.Empty(t, running)
}

func TestTheWriterRestsAfterAStatementThatOthersCanWaitFor(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	l := ledgerOf(s, 3)
	l.writer = newWriter(s.ClickHouse, core.SystemClock{}, 1000, 10*time.Second)
	f := nextFence(t, l)
	require.LessOrEqual(t, l.writer.rows.rest.Left(), time.Duration(0))
	insert := func(alone bool, offset int64) {
		require.NoError(t, l.Insert(t.Context(), f, []Row{oneRow(offset)}, alone))
	}
	insert(true, 1)
	require.Less(t, l.writer.rows.rest.Left(), -time.Hour, "nobody can come with it: nobody waits for it")
	insert(false, 2)
	require.LessOrEqual(t, l.writer.rows.rest.Left(), maxRest)
	require.Greater(t, l.writer.rows.rest.Left(), -time.Hour)
	wait.Until(t, func() bool { return l.writer.rows.rest.Left() <= 0 })
}

func TestAStatementOfSeveralPartitionsIsFoundByEach(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	s.Exec(t, "CREATE TABLE nowhere (n UInt8) ENGINE = Null")
	s.Exec(t, "CREATE MATERIALIZED VIEW a_slow_view TO nowhere AS SELECT sleepEachRow(1) AS n FROM (SELECT user_id FROM events LIMIT 1)")
	shared := newWriter(s.ClickHouse, core.SystemClock{}, 1000, 10*time.Second)
	first, second, stranger := ledgerOf(s, 1), ledgerOf(s, 11), ledgerOf(s, 111)
	first.writer, second.writer = shared, shared
	f, g := nextFence(t, first), nextFence(t, second)
	var both sync.WaitGroup
	both.Go(func() {
		err := shared.rows.send(t.Context(), []*share[*columns]{
			{of: t.Context(), fence: f, rows: 1, fill: func(c *columns) { r := oneRow(1); c.append(&r, f) }},
			{of: t.Context(), fence: g, rows: 1, fill: func(c *columns) { r := oneRow(1); c.append(&r, g) }},
		})
		if err != nil {
			t.Error(err)
		}
	})
	for _, l := range []*Partition{first, second} {
		wait.Until(t, func() bool {
			running, err := l.Running(t.Context())
			return err == nil && len(running) == 1
		})
	}
	running, err := stranger.Running(t.Context())
	require.NoError(t, err)
	require.Empty(t, running, "1/1 is not 1/111")
	both.Wait()
}
