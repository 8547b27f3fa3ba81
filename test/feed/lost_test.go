package feed_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

// walk goes on with a session to its end, and does something before each page.
func (w *world) walk(user int, p page, query string, before func(n int)) (shown []core.ID, pages int) {
	w.t.Helper()
	for pages = 1; ; pages++ {
		shown = append(shown, p.posts()...)
		if p.NextCursor == nil {
			return shown, pages
		}
		before(pages)
		p = w.get(user, query+"&"+p.next())
	}
}

func TestASessionGoesOnThoughItsOrderIsLostEverywhere(t *testing.T) {
	w := newWorld(t, 30)
	w.follow(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	var want []core.ID
	for i := range 90 {
		want = append(want, w.post(1000+i, 2+i%9, time.Duration(i)*20*time.Minute+time.Minute))
	}
	w.load()
	shown, pages := w.walk(1, w.get(1, "limit=10"), "limit=10", func(n int) {
		if n == 2 || n == 5 { // the order is in Redis, and in a replica's memory
			w.loseEverything()
		}
		w.post(2000+n, 2+n%9, 0)
		w.engage(1000+n*3, 2+(n*3)%9, 10, n)
		require.NoError(t, w.hot.Refresh(t.Context(), false))
	})
	require.Equal(t, 9, pages)
	require.ElementsMatch(t, want, shown, "each once, none left out, and nothing new")
}

func TestAPageOfASessionWhoseOrderWasLostIsTheSameWhenFetchedTwice(t *testing.T) {
	w := newWorld(t, 30)
	for i := range 60 {
		w.post(1000+i, 2+i%25, time.Duration(i)*time.Minute)
	}
	w.load()
	first := w.get(1, "limit=10")
	second := w.get(1, "limit=10&"+first.next())
	w.loseEverything()
	third := w.get(1, "limit=10&explain=true&"+second.next())
	require.Contains(t, third.Items[0].Explain.Adjustments,
		"ranked anew: the order of the session's first page was lost")
	w.engage(1059, 2+59%25, 10, 500)
	require.NoError(t, w.hot.Refresh(t.Context(), false))
	require.Equal(t, third.posts(), w.get(1, "limit=10&"+second.next()).posts())
	require.NotEmpty(t, w.get(1, "limit=10&"+first.next()).posts(), "a page of before the loss")
	fourth := w.get(1, "limit=10&"+third.next())
	all := append(append(append(first.posts(), second.posts()...), third.posts()...), fourth.posts()...)
	met := map[core.ID]bool{}
	for _, id := range all {
		require.False(t, met[id], "post %s comes twice", id)
		met[id] = true
	}
}

func TestWhatWasHiddenAndSeenOutlivesRedis(t *testing.T) {
	w := newWorld(t, 10)
	w.follow(1, 2, 3, 4, 5)
	for author := 2; author <= 5; author++ {
		w.post(100+author, author, time.Duration(author)*time.Minute)
	}
	w.load()
	w.record(1, core.ActionHide, 2, 102)
	w.record(1, core.ActionNotInterested, 3, 103)
	w.record(1, core.ActionView, 4, 104)
	require.Equal(t, []core.ID{105}, w.cached(1, "").posts())

	w.flush()
	p := w.get(1, "")
	require.Equal(t, "clickhouse", p.ServedFrom)
	require.False(t, p.Degraded)
	require.Equal(t, []core.ID{105}, p.posts(), "the raw events know")
	require.Equal(t, []core.ID{105}, w.cached(1, "").posts(), "and Redis knows again")
	require.Equal(t, []core.ID{104, 105}, w.get(1, "algo=timeline").posts(),
		"a timeline has what was seen, not what was hidden")

	w.away.redis.closed.Store(true)
	p = w.get(1, "")
	require.Equal(t, []core.ID{105}, p.posts())
	require.True(t, p.Degraded, "what was seen in the last moments is not known")
	require.Equal(t, "redis", p.Sources[0].Name)
	require.False(t, p.Sources[0].OK)
	verdict := w.whyNot(1, 102)
	require.Equal(t, "hidden", verdict.Rule)
}

// computedAnew is a page for which the viewer's entry was computed, and the questions that it took.
func (w *world) computedAnew(user int) (p page, questions int64) {
	w.t.Helper()
	status, _ := w.do(http.MethodDelete, user, "/admin/v1/cache", "")
	require.Equal(w.t, http.StatusOK, status)
	before := w.questions.Load()
	p = w.get(user, "")
	require.Equal(w.t, "clickhouse", p.ServedFrom)
	questions = w.questions.Load() - before
	w.cached(user, "") // what it found is written before the entry
	return p, questions
}

// forget is a hide that ClickHouse has, and Redis has not.
func (w *world) forget(user, author int, post core.ID) {
	w.t.Helper()
	at := w.clock.Now().UnixMilli()
	w.ch("INSERT INTO events (kafka_partition, user_id, event_id, post_id, author_id, action, occurred_at, received_at, epoch, kafka_offset, fence, token) "+
		"VALUES (0, %d, generateUUIDv4(), %d, %d, 'hide', %d, %d, 0, %d, 1, 7)", user, post, author, at, at, w.next())
}

func TestWhatNoLookUpFindsIsNotLookedForAgainOnTheDay(t *testing.T) {
	const computation, lookUp = 2, 1
	for name, did := range map[string]func(w *world){
		"two hides of a post within a second": func(w *world) {
			at := w.clock.Now()
			w.apply(1, core.ActionHide, 2, at, 102)
			w.apply(1, core.ActionNotInterested, 2, at, 102)
		},
		"views that do not count any more": func(w *world) {
			w.apply(1, core.ActionView, 2, w.clock.Now().Add(-w.cfg.Store.SeenFor-time.Minute), 105)
			w.flush() // as when the marks have expired
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 10)
			w.cfg.Store.SeenFor = time.Minute
			w.start()
			w.follow(1, 2, 3, 4, 5)
			for author := 2; author <= 5; author++ {
				w.post(100+author, author, time.Duration(author)*time.Minute)
			}
			w.load()
			did(w)
			shown, questions := w.computedAnew(1)
			require.EqualValues(t, computation+lookUp, questions)
			again, questions := w.computedAnew(1)
			require.EqualValues(t, computation, questions, "nothing is lost")
			require.ElementsMatch(t, shown.posts(), again.posts())

			w.forget(1, 3, 103)
			p, questions := w.computedAnew(1)
			require.EqualValues(t, computation+lookUp, questions, "one more than was noted")
			require.NotContains(t, p.posts(), core.ID(103))
			_, questions = w.computedAnew(1)
			require.EqualValues(t, computation, questions)

			w.loseEverything()
			p, questions = w.computedAnew(1)
			require.EqualValues(t, computation+lookUp, questions, "the note is lost with the marks")
			require.NotContains(t, p.posts(), core.ID(103))
		})
	}
}

func TestAViewThatRedisLostIsFoundThoughNothingWasFoundBefore(t *testing.T) {
	w := newWorld(t, 10)
	w.cfg.Store.SeenFor = time.Minute
	w.start()
	w.follow(1, 2, 3)
	w.post(102, 2, time.Minute)
	w.post(103, 3, time.Minute)
	w.load()
	w.apply(1, core.ActionView, 2, w.clock.Now().Add(-2*time.Minute), 102)
	w.flush()
	p, _ := w.computedAnew(1)
	require.ElementsMatch(t, []core.ID{102, 103}, p.posts())
	w.consume(func() {
		at := w.clock.Now().UnixMilli()
		w.ch("INSERT INTO events (kafka_partition, user_id, event_id, post_id, author_id, action, occurred_at, received_at, epoch, kafka_offset, fence, token) "+
			"VALUES (0, 1, generateUUIDv4(), 103, 3, 'view', %d, %d, 0, %d, 1, 7)", at, at, w.next())
	})
	p, _ = w.computedAnew(1)
	require.Equal(t, []core.ID{102}, p.posts())
}

func TestAHideThatRedisLostIsFoundThoughItHasOlderOnes(t *testing.T) {
	w := newWorld(t, 10)
	w.follow(1, 2, 3)
	w.post(102, 2, time.Minute)
	w.post(103, 3, time.Minute)
	w.load()
	// Their marks stay as long as any. Those of 31 days ago would count, in the last hour of a day: see hidesSince.
	w.observe(1, core.ActionHide, 2, w.clock.Now().AddDate(0, 0, -32), 90, 91, 92)
	w.forget(1, 3, 103)
	p, _ := w.computedAnew(1)
	require.Equal(t, []core.ID{102}, p.posts())
}

func TestWhoHidMoreThanIsKeptIsNotLookedForAtEachComputation(t *testing.T) {
	w := newWorld(t, 10)
	w.cfg.Store.MaxHidden = 10
	w.start()
	w.follow(1, 2)
	w.load()
	for n := range 25 {
		w.apply(1, core.ActionHide, 2, w.clock.Now().Add(-time.Duration(25-n)*time.Second),
			w.post(200+n, 2, time.Minute))
	}
	w.flush()
	_, questions := w.computedAnew(1)
	require.EqualValues(t, 3, questions)
	p, questions := w.computedAnew(1)
	require.EqualValues(t, 2, questions)
	for _, post := range p.posts() {
		require.Less(t, post, core.ID(225-9), "the latest are kept")
	}
}

func TestACursorOfAnOrderThatIsLostAndOfAnotherSecretIsRefused(t *testing.T) {
	w := newWorld(t, 10)
	for i := range 6 {
		w.post(100+i, 2+i, time.Hour)
	}
	w.load()
	cursor := w.get(1, "limit=2").next()
	w.cfg.CursorSecrets = []string{"another secret of at least 32 bytes!"}
	w.start()
	w.load()
	status, p := w.refused(1, "/api/v1/feed?limit=2&"+cursor)
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, string(core.CodeInvalidCursor), p.Code)
}

func TestASessionGoesOnAcrossReplicasThatOrderItApart(t *testing.T) {
	one, two := twoReplicas(t, time.Second)
	want := []core.ID{102}
	for i := range 60 {
		want = append(want, one.post(1000+i, 2+i%9, time.Duration(i)*time.Minute+time.Minute))
	}
	one.load()
	p := one.get(1, "limit=10")
	for i := range 30 {
		one.engage(1000+2*i, 2+(2*i)%9, 10, 100*i)
	}
	two.load() // it counts more than the other: it ranks otherwise
	replicas := []*world{two, one}
	conn, err := one.redis.Conn()
	require.NoError(t, err)
	var shown []core.ID
	for n := 0; ; n++ {
		shown = append(shown, p.posts()...)
		if p.NextCursor == nil {
			break
		}
		require.NoError(t, conn.Do(t.Context(), conn.B().Flushall().Build()).Error(), "Redis has no order yet")
		p = replicas[n%2].get(1, "limit=10&"+p.next())
	}
	require.ElementsMatch(t, want, shown, "each once, none left out")
}
