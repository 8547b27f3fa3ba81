package partition

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/posts"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// oneFakePartition is an empty log of the only partition of a topic.
func oneFakePartition(s *stack.Stack) *fakePartition {
	t := &fakePartition{
		Stack: s, cfg: DefaultConfig(), dead: &stack.DeadLetters{},
		metrics: NewMetrics(prometheus.NewRegistry(), core.SystemClock{}),
	}
	t.cfg.Partitions, t.cfg.InsertTimeout, t.cfg.Batch.MaxAge = 1, 10*time.Second, 5*time.Millisecond
	return t
}

// did appends an event of some minutes ago.
func (t *fakePartition) did(user int, action core.Action, post, minutesAgo int, change ...func(*core.Event)) {
	e := core.Event{
		UserID: core.ID(user), PostID: core.ID(post), AuthorID: 900, Action: action,
		OccurredAt: time.Now().Add(-time.Duration(minutesAgo) * time.Minute), ReceivedAt: time.Now(),
	}
	for b := range e.ID {
		e.ID[b] = byte(rand.Uint32())
	}
	for _, f := range change {
		f(&e)
	}
	t.append(e)
	t.distinct++
}

// sums are those of a view, over a post or of all.
func sums(t *testing.T, s *stack.Stack, view, columns, where string) string {
	t.Helper()
	names := strings.Split(columns, " ")
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = fmt.Sprint(s.Count(t, fmt.Sprintf("SELECT sum(%s) + 1000 AS n FROM %s WHERE %s", name, view, where)) -
			1000)
	}
	return strings.Join(all, " ")
}

const postColumns, authorColumns = "exposures views clicks likes comments shares hides",
	"views clicks likes comments shares hides"

// TestWhatCountsHow holds the definition of the views against numbers that are written here: nothing of it is
// computed by the views' own words.
func TestWhatCountsHow(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := oneFakePartition(s)
	const like, unlike, comment, share = core.ActionLike, core.ActionUnlike, core.ActionComment, core.ActionShare
	posts := []struct {
		did          []core.Action
		post, author string
	}{
		1: {[]core.Action{core.ActionImpression, core.ActionImpression}, "2 0 0 0 0 0 0", "0 0 0 0 0 0"},
		2: {[]core.Action{core.ActionView, core.ActionView, core.ActionClick}, "0 2 1 0 0 0 0", "2 1 0 0 0 0"},
		3: {[]core.Action{like}, "0 0 0 1 0 0 0", "0 0 1 0 0 0"},
		4: {[]core.Action{unlike, unlike, unlike}, "0 0 0 0 0 0 0", "0 0 0 0 0 0"},
		5: {[]core.Action{like, like, like}, "0 0 0 1 0 0 0", "0 0 1 0 0 0"},
		6: {[]core.Action{like, unlike}, "0 0 0 0 0 0 0", "0 0 0 0 0 0"},
		7: {[]core.Action{like, unlike, unlike, unlike, like}, "0 0 0 1 0 0 0", "0 0 1 0 0 0"},
		8: {[]core.Action{unlike, like}, "0 0 0 1 0 0 0", "0 0 1 0 0 0"},
		9: {[]core.Action{comment, comment, share, share, like}, "0 0 0 1 1 1 0", "0 0 1 1 1 0"},
		10: {
			[]core.Action{core.ActionHide, core.ActionNotInterested, core.ActionHide}, "0 0 0 0 0 0 1", "0 0 0 0 0 1",
		},
		11: {[]core.Action{core.ActionUnhide, core.ActionUnhide}, "0 0 0 0 0 0 0", "0 0 0 0 0 0"},
		12: {[]core.Action{core.ActionHide, core.ActionUnhide, core.ActionUnhide}, "0 0 0 0 0 0 0", "0 0 0 0 0 0"},
		13: {
			[]core.Action{core.ActionNotInterested, core.ActionHide, core.ActionUnhide, core.ActionHide},
			"0 0 0 0 0 0 1", "0 0 0 0 0 1",
		},
		14: {[]core.Action{core.ActionUnhide, core.ActionHide, like}, "0 0 0 1 0 0 1", "0 0 1 0 0 1"},
	}
	for post := 1; post < len(posts); post++ {
		for i, action := range posts[post].did {
			fake.did(1, action, post, 50-i, func(e *core.Event) { e.AuthorID = core.ID(900 + post) })
		}
	}
	for _, millis := range []uint32{1, 2, 3, 4, 7, 8, 1000, 1200, 1_000_000} {
		fake.did(1, core.ActionDwell, 20, 1, func(e *core.Event) { e.DwellMillis = millis })
	}
	fake.finish(t)
	fake.requireExact(t)
	for post := 1; post < len(posts); post++ {
		require.Equal(t, posts[post].post, sums(t, s, "post_metrics_1h", postColumns, fmt.Sprint("post_id = ", post)),
			"post %d", post)
		require.Equal(t, posts[post].author, sums(t, s, "user_author_90d", authorColumns,
			fmt.Sprint("author_id = ", 900+post)), "post %d", post)
	}
	for bucket, n := range map[int]int{0: 1, 4: 1, 6: 1, 8: 1, 11: 1, 12: 1, 39: 1, 40: 1, 79: 1} {
		require.Equal(t, n, s.Count(t, fmt.Sprintf("SELECT sum(dwell[%d]) AS n FROM post_metrics_1h WHERE post_id = 20",
			bucket)), "bucket %d", bucket)
	}
}

func TestOthersCannotTakeLikesAway(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := oneFakePartition(s)
	for user := 1; user <= 5; user++ {
		fake.did(user, core.ActionLike, 1, 30)
	}
	for user := 6; user <= 26; user++ {
		for range 3 {
			fake.did(user, core.ActionUnlike, 1, 20)
		}
	}
	fake.finish(t)
	require.Equal(t, "0 0 0 5 0 0 0", sums(t, s, "post_metrics_1h", postColumns, "post_id = 1"))
}

func TestTheLatestByTimeHoldsInWhateverOrderTheyCome(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := oneFakePartition(s)
	fake.did(1, core.ActionUnlike, 1, 10) // from another phone
	fake.did(1, core.ActionLike, 1, 60)   // this one was offline
	fake.did(2, core.ActionLike, 2, 10)
	fake.did(2, core.ActionUnlike, 2, 60)
	fake.did(3, core.ActionLike, 3, -4) // a clock that is ahead
	fake.did(3, core.ActionUnlike, 3, -1, func(e *core.Event) { e.ReceivedAt = e.ReceivedAt.Add(time.Second) })
	fake.did(4, core.ActionUnhide, 4, 10)
	fake.did(4, core.ActionHide, 4, 60)
	fake.did(5, core.ActionNotInterested, 5, 10)
	fake.did(5, core.ActionUnhide, 5, 60)
	fake.finish(t)
	for post, hides := range map[int]string{4: "0", 5: "1"} {
		require.Equal(t, hides, sums(t, s, "post_metrics_1h", "hides", fmt.Sprint("post_id = ", post)), "post %d", post)
	}
	for post, likes := range map[int]string{1: "0", 2: "1", 3: "0"} {
		require.Equal(t, likes, sums(t, s, "post_metrics_1h", "likes", fmt.Sprint("post_id = ", post)), "post %d", post)
	}
}

// TestAStateIsKnownWhoeverHasThePartition has each event decided by another owner, who knows nothing but the
// raw table.
func TestAStateIsKnownWhoeverHasThePartition(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := oneFakePartition(s)
	minute := 2000 // also on the day before
	for _, action := range []core.Action{
		core.ActionLike, core.ActionLike, core.ActionUnlike, core.ActionUnlike,
		core.ActionLike, core.ActionComment, core.ActionComment,
	} {
		minute -= 200
		fake.did(1, action, 1, minute)
		fake.finish(t)
	}
	require.Equal(t, "0 0 0 1 1 0 0", sums(t, s, "post_metrics_1h", postColumns, "post_id = 1"))
	require.Equal(t, 3, s.Count(t, "SELECT count() AS n FROM events WHERE verdict = 'repeated'"))
	fake.requireExact(t)
}

// finalStates works out from the log which reactions stand at its end: code of its own.
func (t *fakePartition) finalStates(tb testing.TB) map[string]int {
	tb.Helper()
	type mind struct{ at, on int64 }
	minds, ids := map[string]mind{}, map[codec.Identity]bool{}
	reader := codec.NewDecoder(t.cfg.Log)
	for _, record := range t.log {
		var e codec.Event
		if reason, _ := reader.Decode(record, &e); reason != "" || ids[e.Identity()] {
			continue
		}
		ids[e.Identity()] = true
		kind, on := e.Action.String(), int64(1)
		switch e.Action {
		case core.ActionUnlike:
			kind, on = "like", 0
		case core.ActionNotInterested:
			kind = "hide"
		case core.ActionUnhide:
			kind, on = "hide", 0
		case core.ActionImpression, core.ActionView, core.ActionClick, core.ActionDwell:
			continue
		case core.ActionLike, core.ActionComment, core.ActionShare, core.ActionHide:
		}
		key := fmt.Sprint(e.User, e.Post, kind)
		if m := minds[key]; min(e.Occurred, e.Received) >= m.at {
			minds[key] = mind{min(e.Occurred, e.Received), on}
		}
	}
	final := map[string]int{"like": 0, "comment": 0, "share": 0, "hide": 0}
	for key, m := range minds {
		final[strings.TrimLeft(key, "0123456789 ")] += int(m.on)
	}
	return final
}

// requireStates compares what was counted with the reactions that stand.
func (t *fakePartition) requireStates(tb testing.TB) {
	tb.Helper()
	where := fmt.Sprintf("kafka_partition = %d", t.partition)
	for kind, n := range t.finalStates(tb) {
		require.Equal(tb, n, t.Count(tb, fmt.Sprintf("SELECT sum(%ss) AS n FROM post_metrics_1h WHERE %s", kind,
			where)), kind)
	}
	require.Zero(tb, t.Count(tb, `SELECT count() AS n FROM (
		SELECT sum(effect) AS total FROM events WHERE action IN ('like', 'unlike', 'comment', 'share', 'hide', 'not_interested', 'unhide') AND `+where+`
		GROUP BY user_id, post_id, multiIf(action = 'unlike', 'like', action IN ('not_interested', 'unhide'), 'hide', toString(action)) HAVING total NOT IN (0, 1))`),
		"a user counts 0 or 1")
}

func writePost(t testing.TB, s *stack.Stack, id, author int, columns string) {
	t.Helper()
	s.Exec(t, fmt.Sprintf("INSERT INTO posts (id, author_id, created_at, version, hidden, is_deleted) VALUES (%d, %d, %s)", id, author, columns))
}

func TestOnlyWhatThePostsRecordSaysCounts(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := oneFakePartition(s)
	fake.posts = posts.New(s.ClickHouse, core.SystemClock{})
	const ago = "now64(6) - INTERVAL 2 HOUR, 1, "
	writePost(t, s, 1, 50, ago+"false, 0")
	writePost(t, s, 2, 50, ago+"true, 0")
	writePost(t, s, 3, 50, ago+"false, 1")
	s.Exec(t, `INSERT INTO blocks (kind, row_key, user_id, other_id, version) VALUES ('block', 'a', 7, 50, 1), ('block', 'b', 50, 8, 1), ('mute', 'c', 9, 50, 1)`)
	for _, user := range []int{5, 7, 8, 9, 50} {
		for _, action := range []core.Action{core.ActionView, core.ActionLike, core.ActionComment} {
			fake.did(user, action, 1, 10) // the client says that it is of 900
		}
		fake.did(user, core.ActionLike, 2, 10)
		fake.did(user, core.ActionShare, 3, 10)
		fake.did(user, core.ActionLike, 4, 10) // there is no such post
	}
	fake.finish(t)
	fake.requireExact(t)
	require.Equal(t, "0 5 0 2 2 0 0", sums(t, s, "post_metrics_1h", postColumns, "author_id = 50"),
		"neither the author's own, nor of who is blocked")
	require.Zero(t, s.Count(t, "SELECT count() AS n FROM post_metrics_1h WHERE post_id != 1 OR author_id != 50"))
	require.Zero(t, s.Count(t, "SELECT count() AS n FROM user_author_90d WHERE author_id != 50"),
		"nobody is whom the client names")
	require.Equal(t, "1 0 1 1 0 0", sums(t, s, "user_author_90d", authorColumns, "user_id = 5"))
	for verdict, n := range map[string]int{"own": 2, "not_visible": 14, "unresolved": 5, "counted": 9} {
		require.Equal(t, n, s.Count(t, fmt.Sprintf("SELECT count() AS n FROM events WHERE verdict = '%s'", verdict)),
			verdict)
	}
}

func TestAnEventAheadOfItsPostCountsOnceThePostIsKnown(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := oneFakePartition(s)
	fake.posts = posts.New(s.ClickHouse, core.SystemClock{})
	for _, user := range []int{5, 6, 50} {
		fake.did(user, core.ActionLike, 1, 10)
		fake.did(user, core.ActionView, 1, 10)
		fake.did(user, core.ActionLike, 2, 10) // somebody guesses which posts will come
	}
	fake.did(6, core.ActionUnlike, 1, 9)
	owner := fake.run(t.Context(), noFailpoints{})
	wait.Until(t, func() bool { return fake.committed.Load() == int64(len(fake.log)) })
	require.Zero(t, s.Count(t, "SELECT count() AS n FROM post_metrics_1h"))
	writePost(t, s, 1, 50, "now64(6) - INTERVAL 20 MINUTE, 1, false, 0")
	writePost(t, s, 2, 50, "now64(6) + INTERVAL 2 MINUTE, 1, false, 0") // it was made after the events
	wait.Until(t, func() bool { return testutil.ToFloat64(fake.metrics.resolved) == 2 })
	owner.cancel()
	<-owner.done
	fake.requireExact(t)
	require.Equal(t, "0 3 0 1 0 0 0", sums(t, s, "post_metrics_1h", postColumns, "post_id = 1 AND author_id = 50"))
	require.Zero(t, s.Count(t, "SELECT count() AS n FROM post_metrics_1h WHERE post_id != 1"))
	require.Equal(t, "1 0 0 0 0 0", sums(t, s, "user_author_90d", authorColumns, "user_id = 6 AND author_id = 50"))

	fake.did(5, core.ActionLike, 1, 5) // again, now that the post is known
	fake.finish(t)
	require.Equal(t, "1", sums(t, s, "post_metrics_1h", "likes", "post_id = 1"))
	writePost(t, s, 1, 50, "now64(6) - INTERVAL 20 MINUTE, 2, false, 1")
	fake.requireExact(t) // what was counted of a post stays when it is deleted
}

func TestANewOwnerKnowsWhichEventsAreAheadOfTheirPosts(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := oneFakePartition(s)
	fake.posts = posts.New(s.ClickHouse, core.SystemClock{})
	fake.did(5, core.ActionLike, 1, 10)
	fake.finish(t)
	writePost(t, s, 1, 50, "now64(6) - INTERVAL 20 MINUTE, 1, false, 0")
	owner := fake.run(t.Context(), noFailpoints{})
	wait.Until(t, func() bool { return testutil.ToFloat64(fake.metrics.resolved) == 1 })
	owner.cancel()
	<-owner.done
	require.Equal(t, "1", sums(t, s, "post_metrics_1h", "likes", "post_id = 1"))
	fake.requireExact(t)
}

// anySession takes every feed_session but one for served.
type anySession struct{}

func (anySession) Valid(_, _ core.ID, session string) bool { return session != "1.forged.0" }

func TestImpressionsCountOnceForEachServedSessionWhereOneIsRequired(t *testing.T) {
	t.Parallel()
	for _, required := range []bool{false, true} {
		s := stack.OfEvents(t)
		fake := oneFakePartition(s)
		fake.cfg.RequireSession, fake.sessions = required, anySession{}
		in := func(session string) func(*core.Event) { return func(e *core.Event) { e.FeedSession = session } }
		for range 20 {
			fake.did(1, core.ActionImpression, 1, 5)
			fake.did(1, core.ActionImpression, 1, 5, in("1.forged.0"))
			fake.did(1, core.ActionImpression, 1, 5, in("1.abc.0.1"))
			fake.did(1, core.ActionImpression, 1, 5, in("1.abc.0.7"))
			fake.did(1, core.ActionImpression, 1, 5, in("1.ghi.0.1")) // another session
			fake.did(2, core.ActionImpression, 1, 5, in("1.abc.0.1"))
		}
		fake.finish(t)
		fake.did(1, core.ActionImpression, 1, 5, in("1.abc.0.1"))
		fake.did(1, core.ActionImpression, 1, 5, in("1.def.0.1"))
		fake.finish(t) // by another owner
		want := map[bool]string{false: "122", true: "4"}[required]
		require.Equal(t, want, sums(t, s, "post_metrics_1h", "exposures", "post_id = 1"))
	}
}

// TestTheStateOfAnUnfinishedBatchIsNotHandedOn ends a worker when its batch is decided and not written.
func TestTheStateOfAnUnfinishedBatchIsNotHandedOn(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := oneFakePartition(s)
	for user := 1; user <= 20; user++ {
		fake.did(user, core.ActionLike, 1, 10)
	}
	first := fake.run(t.Context(), at(AtInserting, 1, runtime.Goexit))
	<-first.done
	require.Positive(t, first.p.states.Len())
	fake.handoff = first.p.HandOff()
	fake.finish(t)
	require.Equal(t, "20", sums(t, s, "post_metrics_1h", "likes", "post_id = 1"))
}

// TestWhoCameBetweenTwoFencesIsNotOverlooked has a process look whether its fence is still the newest, stand still, and
// take the next one but one.
func TestWhoCameBetweenTwoFencesIsNotOverlooked(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := oneFakePartition(s)
	fake.did(1, core.ActionLike, 1, 30)
	first := fake.run(t.Context(), at(AtSealed, 1, runtime.Goexit))
	<-first.done
	known := first.p.HandOff()

	fake.did(2, core.ActionLike, 1, 20)
	between := fake.log[1]
	fake.finish(t) // another process

	fake.did(2, core.ActionLike, 1, 10)
	again := *between
	again.Offset = int64(len(fake.log))
	fake.log = append(fake.log, &again)
	fake.handoff = known
	p := fake.worker(noFailpoints{})
	next, err := p.Ledger.NextFence(t.Context())
	require.NoError(t, err)
	require.NoError(t, p.acquireFence(t.Context(), next))
	_, err = p.collect(t.Context())
	require.NoError(t, err)
	require.NoError(t, p.apply(t.Context()))
	require.Equal(t, "2", sums(t, s, "post_metrics_1h", "likes", "post_id = 1"))
	require.Equal(t, 3, s.Count(t, "SELECT count() AS n FROM events"))
}

// TestAPartitionThatComesBackIsReadAnew has a process stand still while another has its partition, and get it back.
func TestAPartitionThatComesBackIsReadAnew(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := oneFakePartition(s)
	fake.did(1, core.ActionLike, 1, 30)
	first := fake.run(t.Context(), noFailpoints{})
	wait.Until(t, func() bool { return fake.committed.Load() == 1 })
	first.cancel()
	<-first.done
	known := first.p.HandOff()
	require.True(t, known.certain)
	require.Positive(t, known.states.Len())

	fake.did(1, core.ActionUnlike, 1, 20)
	fake.finish(t) // another process
	require.Equal(t, "0", sums(t, s, "post_metrics_1h", "likes", "post_id = 1"))

	fake.did(1, core.ActionLike, 1, 10)
	fake.handoff = known
	fake.finish(t)
	require.Equal(t, "1", sums(t, s, "post_metrics_1h", "likes", "post_id = 1"))
	fake.requireExact(t)
}
