package partition

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/dedup"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/events/posts"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// fakePartition is one Kafka partition: its log, what is committed, and who has read it.
type fakePartition struct {
	*stack.Stack
	cfg       Config
	partition uint16
	log       []*sarama.ConsumerMessage
	distinct  int
	poison    int
	dead      *stack.DeadLetters
	metrics   *Metrics
	ledger    *ledger.Ledger // nil: its own
	posts     *posts.Posts
	sessions  Sessions
	handoff   Handoff // of the owner before, in the same process

	committed atomic.Int64
	oldest    int64
}

// newFakePartition writes a log with copies at all distances, events of three days, and some poison.
func newFakePartition(s *stack.Stack, partition uint16, seed uint64) *fakePartition {
	t := &fakePartition{
		Stack: s, cfg: DefaultConfig(), partition: partition, dead: &stack.DeadLetters{},
		metrics: NewMetrics(prometheus.NewRegistry(), core.SystemClock{}),
	}
	t.cfg.Partitions, t.cfg.InsertTimeout = 1024, 5*time.Second
	t.cfg.Batch.MaxRows, t.cfg.Batch.MaxAge, t.cfg.Dedup.Window = 30, 5*time.Millisecond, 60
	rng := rand.New(rand.NewPCG(seed, uint64(partition)))
	var users []core.ID
	for id := core.ID(1); len(users) < 5; id++ {
		if codec.PartitionOf(id.Append(nil), 1024) == int32(partition) {
			users = append(users, id)
		}
	}
	var events []core.Event
	for range 130 {
		e := stack.RandomEvents(rng, 1)[0]
		e.UserID = users[rng.IntN(len(users))]
		e.PostID = core.ID(1 + rng.IntN(4))      // few, so that reactions meet
		if len(events) > 0 && rng.IntN(4) == 0 { // a copy, perhaps with another time
			e = events[rng.IntN(len(events))]
			e.OccurredAt = e.OccurredAt.Add(-time.Duration(rng.IntN(2)) * 20 * time.Hour)
		} else {
			events = append(events, e)
		}
		t.append(e)
		if rng.IntN(30) == 0 {
			t.append(e).Value = []byte("{")
			t.poison++
		}
	}
	t.distinct = len(events)
	return t
}

func (t *fakePartition) append(e core.Event) *sarama.ConsumerMessage {
	m := codec.Record("events", e)
	key, _ := m.Key.Encode()
	value, _ := m.Value.Encode()
	record := &sarama.ConsumerMessage{
		Topic: "events", Partition: int32(t.partition), Offset: int64(len(t.log)), Key: key, Value: value,
		Timestamp: m.Timestamp,
	}
	t.log = append(t.log, record)
	return record
}

// owner is a worker on the fake.
type owner struct {
	p      *Worker
	done   chan struct{}
	err    error
	cancel context.CancelFunc
}

func (o *owner) ended() bool {
	select {
	case <-o.done:
		return true
	default:
		return false
	}
}

// run starts a worker at the committed offset, as a new session would.
func (t *fakePartition) run(ctx context.Context, steps Failpoints) *owner {
	o := &owner{p: t.worker(steps), done: make(chan struct{})}
	ctx, o.cancel = context.WithCancel(ctx)
	go func() {
		defer close(o.done)
		o.err = o.p.Run(ctx)
	}()
	return o
}

// worker is one that has the log from the committed offset on.
func (t *fakePartition) worker(steps Failpoints) *Worker {
	from := t.committed.Load()
	shared := t.ledger
	if shared == nil {
		shared = ledger.New(t.ClickHouse, core.SystemClock{}, t.cfg.InsertTimeout, t.cfg.Batch.MaxRows)
	}
	l := shared.Partition(1, int32(t.partition), 1024, false)
	survey := func() (LogOffsets, error) {
		return LogOffsets{Next: t.committed.Load(), Oldest: t.oldest, Newest: int64(len(t.log))}, nil
	}
	p := New(Shared{
		Config: t.cfg, Topic: "events", Owner: "test", DeadLetters: t.dead, Failpoints: steps, Posts: t.posts,
		Sessions: t.sessions, Clock: core.SystemClock{}, Log: zap.NewNop(), Metrics: t.metrics,
	}, Claim{
		ID: int32(t.partition), Ledger: l, Queue: kafka.NewQueue(1<<30, core.SystemClock{}, func() {}, func() {}),
		Offsets: LogOffsets{Next: from}, Commit: t.commit, ReadOffsets: survey,
	}, t.handoff)
	for _, record := range t.log[from:] {
		p.Queue.Push(record)
	}
	return p
}

// finish plays the fake to its end with a fresh worker.
func (t *fakePartition) finish(tb testing.TB) {
	tb.Helper()
	last := t.run(tb.Context(), noFailpoints{})
	wait.Until(tb, func() bool { return t.committed.Load() == int64(len(t.log)) })
	last.cancel()
	<-last.done
}

// requireExact compares everything that is left of the fake with what must be.
func (t *fakePartition) requireExact(tb testing.TB) {
	tb.Helper()
	where := fmt.Sprintf(" FROM events WHERE epoch = 1 AND kafka_partition = %d", t.partition)
	require.Equal(tb, t.distinct, t.Count(tb, "SELECT count() AS n"+where), "rows")
	require.Equal(tb, t.distinct, t.Count(tb, "SELECT uniqExact(user_id, event_id) AS n"+where),
		"distinct events")
	for _, view := range stack.EventViews() {
		require.Zero(tb, t.Differing(tb, view, t.partition), view)
	}
	ranges := fmt.Sprintf(" FROM event_ranges WHERE epoch = 1 AND kafka_partition = %d", t.partition)
	require.Equal(tb, len(t.log), t.Count(tb, "SELECT sum(last_offset - first_offset + 1) AS n"+ranges),
		"offsets covered")
	require.Equal(tb, len(t.log), t.Count(tb, "SELECT max(last_offset) + 1 AS n"+ranges),
		"offsets covered without overlap")
	require.Equal(tb, len(t.log), t.Count(tb, "SELECT sum(rows + duplicates + dead_letters) AS n"+ranges),
		"records accounted for")
	require.Equal(tb, t.distinct, t.Count(tb, "SELECT sum(rows) AS n"+ranges), "rows accounted for")
	letters := map[int64]bool{}
	for _, letter := range t.dead.All() {
		letters[letter.Offset] = true
	}
	require.Len(tb, letters, t.poison, "dead letters")
	if t.posts == nil {
		t.requireStates(tb)
	}
}

// stopAt does something at the nth time that a partition comes to a step.
type stopAt struct {
	step Failpoint
	left atomic.Int32
	do   func()
}

func at(step Failpoint, nth int32, do func()) *stopAt {
	s := &stopAt{step: step, do: do}
	s.left.Store(nth)
	return s
}

func (s *stopAt) Reached(step Failpoint, _ int32) {
	if step == s.step && s.left.Add(-1) == 0 {
		s.do()
	}
}

func allFailpoints() []Failpoint {
	return []Failpoint{
		AtAcquire, AtClaimed, AtInFlightEnded, AtPositionLoaded, AtReconciled, AtFilled, AtSealed, AtDeadLettered,
		AtInserting, AtInserted, AtRangeWritten, AtCommitted,
	}
}

// once are the steps that come only when a partition is taken; the others come with every batch.
func once(step Failpoint) bool {
	switch step {
	case AtAcquire, AtClaimed, AtInFlightEnded, AtPositionLoaded, AtReconciled, AtFilled:
		return true
	default:
		return false
	}
}

func nth(step Failpoint) int32 {
	if once(step) {
		return 1
	}
	return 2 // so that something is applied before
}

// TestNothingIsLostOrDoubledWhereverAnOwnerIsStopped is the table of cases in README.md.
func TestNothingIsLostOrDoubledWhereverAnOwnerIsStopped(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	shared := ledger.New(s.ClickHouse, core.SystemClock{}, 5*time.Second, 1000) // as if all owners were of one process
	next := uint16(0)
	for _, step := range allFailpoints() {
		for how, disturb := range map[string]func(*testing.T, *fakePartition, Failpoint){
			"killed":           kill,
			"frozen and woken": freeze, "rebalanced": rebalance,
		} {
			next++
			partition := next
			t.Run(string(step)+"/"+how, func(t *testing.T) {
				t.Parallel()
				fake := newFakePartition(s, partition, 1)
				fake.ledger = shared
				disturb(t, fake, step)
				fake.finish(t)
				fake.requireExact(t)
			})
		}
	}
}

// kill ends a worker at a step, as SIGKILL does: nothing of it happens afterwards.
func kill(t *testing.T, fake *fakePartition, step Failpoint) {
	victim := fake.run(t.Context(), at(step, nth(step), runtime.Goexit))
	<-victim.done
}

// rebalance takes the partition away at a step: the session ends, the worker finishes its batch.
func rebalance(t *testing.T, fake *fakePartition, step Failpoint) {
	var victim *owner
	var started sync.WaitGroup
	started.Add(1)
	victim = fake.run(t.Context(), at(step, nth(step), func() { started.Wait(); victim.cancel() }))
	started.Done()
	<-victim.done
	require.ErrorIs(t, victim.err, context.Canceled)
}

// freeze stops a worker at a step, lets others go on for long, and wakes it.
func freeze(t *testing.T, fake *fakePartition, step Failpoint) {
	frozen, wake := make(chan struct{}), make(chan struct{})
	victim := fake.run(t.Context(), at(step, nth(step), func() { close(frozen); <-wake }))
	<-frozen
	fake.finish(t)
	fake.requireExact(t)
	close(wake)
	if once(step) || step == AtCommitted {
		// It may take the partition for itself, as a new owner would; or find it gone.
		wait.Until(t, func() bool {
			return victim.ended() || fake.committed.Load() == int64(len(fake.log))
		})
		victim.cancel()
		<-victim.done
		return
	}
	wait.Until(t, victim.ended, "it writes on")
	require.ErrorIs(t, victim.err, ledger.ErrFenced)
}

// commit moves on only: Kafka refuses the commit of a member that has been replaced.
func (t *fakePartition) commit(next int64) {
	for {
		now := t.committed.Load()
		if next <= now || t.committed.CompareAndSwap(now, next) {
			return
		}
	}
}

// TestABatchOfWhichSomeDaysLandedIsCompleted has an owner die when the server had made only one day of
// its statement visible, and of that day only one of the views.
func TestABatchOfWhichSomeDaysLandedIsCompleted(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := newFakePartition(s, 7, 9)
	l, f := newcomer(t, s, 7)
	b := fake.readBatch(l)
	byDay := map[int32][]ledger.Row{}
	for i := range b.rows {
		byDay[b.rows[i].Day()] = append(byDay[b.rows[i].Day()], b.rows[i])
	}
	require.Greater(t, len(byDay), 1)
	s.Exec(t, "DETACH TABLE user_author_90d_mv")
	require.NoError(t, l.Insert(t.Context(), f, byDay[b.rows[0].Day()], false))
	s.Exec(t, "ATTACH TABLE user_author_90d_mv")

	fake.finish(t)
	fake.requireExact(t)
	require.Positive(t, testutil.ToFloat64(fake.metrics.reconciled))
}

// readBatch is the fake's first batch, as an owner would have decided it.
func (t *fakePartition) readBatch(l *ledger.Partition) *batch {
	b := &batch{}
	b.reset(0)
	reader := codec.NewDecoder(t.cfg.Log)
	for _, record := range t.log[:t.cfg.Batch.MaxRows] {
		b.add(record, reader, 1)
	}
	d := dedup.NewIDs(t.cfg.Dedup, l, newMetricsForBench().dedup)
	b.rows, _ = d.Decide(b.rows, nil)
	for i := range b.rows {
		b.rows[i].Effect = 1
	}
	dedup.NewStates(t.cfg.Dedup, t.cfg.RequireSession, d).Decide(b.rows)
	return b
}

// TestANewOwnerWaitsForStatementsOfOlderFences has a statement of the owner before run on in ClickHouse, where its rows
// become visible at its end.
func TestANewOwnerWaitsForStatementsOfOlderFences(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := newFakePartition(s, 9, 11)
	before, f := newcomer(t, s, 9)
	left := fake.readBatch(before)
	s.Exec(t, "CREATE TABLE nowhere (n UInt8) ENGINE = Null")
	s.Exec(t, "CREATE MATERIALIZED VIEW a_slow_view TO nowhere AS SELECT sleepEachRow(2) AS n FROM (SELECT user_id FROM events LIMIT 1)")
	var writing sync.WaitGroup
	writing.Go(func() { _ = before.Insert(t.Context(), f, left.rows, true) }) // it may be ended
	running := func() int {
		all, err := before.Running(t.Context())
		if err != nil {
			t.Error(err)
		}
		return len(all)
	}
	wait.Until(t, func() bool { return running() == 1 })

	ended := make(chan int, 1)
	owner := fake.run(t.Context(), at(AtInFlightEnded, 1, func() {
		ended <- running()
		s.Exec(t, "DROP TABLE a_slow_view")
	}))
	require.Zero(t, <-ended, "statements that may still write")
	writing.Wait()
	owner.cancel()
	<-owner.done
	fake.finish(t)
	fake.requireExact(t)
}

// TestAnOwnerThatGoesOnKnowsWhatLaysBeyondItsPlace has a partition stay with its process while part of what
// another owner left unfinished is still ahead.
func TestAnOwnerThatGoesOnKnowsWhatLaysBeyondItsPlace(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := newFakePartition(s, 8, 10)
	l, f := newcomer(t, s, 8)
	left := fake.readBatch(l)
	require.NoError(t, l.Insert(t.Context(), f, left.rows, true))
	fake.cfg.Batch.MaxRows = 7
	var first *owner
	var started sync.WaitGroup
	started.Add(1)
	first = fake.run(t.Context(), at(AtCommitted, 1, func() { started.Wait(); first.cancel() }))
	started.Done()
	<-first.done
	require.ErrorIs(t, first.err, context.Canceled)
	fake.handoff = first.p.HandOff()
	require.NotEmpty(t, fake.handoff.present)

	fake.cfg.Batch.MaxRows = 30
	fake.finish(t)
	fake.requireExact(t)
	require.EqualValues(t, 1, testutil.ToFloat64(fake.metrics.resumed))
}
