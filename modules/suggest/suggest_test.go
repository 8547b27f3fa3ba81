package suggest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/suggest"
	"github.com/feedrank/feedrank/test/stack"
)

func TestPeopleAreSuggestedWithTheReasonThatWeighsMost(t *testing.T) {
	w := newWorld(t)
	w.follows(1, 2, 3, 4)
	w.follows(2, 10, 11, 3, 1)
	w.follows(3, 10)
	w.follows(4, 10)
	w.likes(2, 12, 5)
	w.likes(3, 12, 1)
	w.likes(3, 2, 9) // the viewer follows them already
	w.likes(1, 13, 20)
	w.write("INSERT INTO user_author_90d (user_id, author_id, day, kafka_partition, likes, hides) VALUES (1, 14, today(), 0, 3, 2), (50, 15, today(), 0, 1, 0), (51, 15, today(), 0, 1, 0)")
	require.NoError(t, suggest.NewPopularJob(w.source, false, w.redis).Run(context.Background(), 1))

	answer := w.suggest(1)
	require.Equal(t, suggest.FromComputed, answer.ServedFrom)
	require.False(t, answer.Degraded)
	reasons := map[core.ID]suggest.Reason{}
	for _, item := range answer.Items {
		reasons[item.User] = item.Reason
	}
	require.Equal(t, core.ID(13), answer.Items[0].User)
	require.Equal(t, suggest.Reason{Kind: suggest.Engaged, Count: 20}, reasons[13])
	require.Equal(t, suggest.FollowedBy, reasons[10].Kind)
	require.Equal(t, int64(3), reasons[10].Count)
	require.ElementsMatch(t, []core.ID{2, 3, 4}, reasons[10].Users)
	require.Equal(t, suggest.EngagedBy, reasons[12].Kind)
	require.ElementsMatch(t, []core.ID{2, 3}, reasons[12].Users)
	require.Equal(t, suggest.Reason{Kind: suggest.Popular, Count: 2}, reasons[15])
	require.Equal(t, suggest.Popular, reasons[14].Kind,
		"hides outweigh the likes: only that others like them speaks for them")
	for _, nobody := range []core.ID{1, 2, 3, 4} {
		require.NotContains(t, reasons, nobody)
	}
	require.Equal(t, suggest.FromCache, w.suggest(1).ServedFrom)
}

func TestADeletedUserIsNotSuggested(t *testing.T) {
	w := newWorld(t)
	w.follows(1, 2)
	w.follows(2, 10, 11)
	w.write("INSERT INTO users (id, created_at, version, is_deleted) VALUES (10, now64(6), 1, 0), (11, now64(6), 1, 0)")
	w.write("INSERT INTO users (id, version, is_deleted) VALUES (11, 2, 1)")
	require.Equal(t, []core.ID{10}, users(w.suggest(1)))
}

func TestWhoIsFollowedBlockedMutedOrDismissedLeavesTheCachedList(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.follows(1, 2)
	w.follows(2, 10, 11, 12, 13, 14, 15)
	require.Len(t, w.suggest(1).Items, 6)
	require.NoError(t, w.store.Changed(ctx, []core.Change{
		{Kind: core.Followed, Viewer: 1, Other: 10},
		{Kind: core.Muted, Viewer: 1, Other: 11},
		{Kind: core.Blocked, Viewer: 1, Other: 12},
		{Kind: core.Blocked, Viewer: 13, Other: 1},
		{Kind: core.PostPut},
		{Kind: core.TableCleared},
	}))
	require.NoError(t, w.service.Dismiss(ctx, 1, 14))
	answer := w.suggest(1)
	require.Equal(t, suggest.FromCache, answer.ServedFrom)
	require.Equal(t, []core.ID{15}, users(answer))

	// A later bar for a shorter time does not cut a dismissal short.
	require.NoError(t, w.store.Changed(ctx, []core.Change{{Kind: core.Followed, Viewer: 1, Other: 14}}))
	w.clock.advance(26 * time.Hour)
	require.NotContains(t, users(w.suggest(1)), core.ID(14))
	w.clock.advance(w.cfg.DismissFor)
	require.Contains(t, users(w.suggest(1)), core.ID(14))
}

func TestDismissalsAreBounded(t *testing.T) {
	w := newWorld(t, func(c *suggest.Config) { c.MaxBarred = 10 })
	w.follows(1, 2)
	for id := core.ID(10); id < 30; id++ {
		w.follows(2, id)
		require.NoError(t, w.service.Dismiss(context.Background(), 1, id))
		w.clock.advance(time.Second)
	}
	require.Len(t, w.suggest(1).Items, 10, "the oldest are forgotten")
}

func TestWithoutClickHouseTheAnswerIsStaleThenPopularThenWhoPostedLatelyThenNobody(t *testing.T) {
	w := newWorld(t)
	w.follows(1, 2)
	w.follows(2, 10)
	w.likes(50, 20, 1)
	w.likes(50, 21, 1)
	require.Len(t, w.suggest(1).Items, 1)
	w.gate.open.Store(true)
	w.clock.advance(2 * time.Hour)
	answer := w.suggest(1)
	require.Equal(t, suggest.FromStale, answer.ServedFrom)
	require.True(t, answer.Degraded)
	require.Equal(t, []core.ID{10}, users(answer))

	w.app.edges, w.app.active = []suggest.Edge{{Other: 20, Follows: true}, {Other: 30}}, []core.ID{7, 30, 31, 31, 20}
	answer = w.suggest(7)
	require.Equal(t, suggest.FromPostgres, answer.ServedFrom)
	require.Equal(t, []core.ID{31}, users(answer))
	require.Equal(t, suggest.Active, answer.Items[0].Reason.Kind)

	require.NoError(t, suggest.NewPopularJob(w.source, false, w.redis).Run(context.Background(), 1))
	w.clock.advance(2 * time.Minute)
	answer = w.suggest(7)
	require.Equal(t, suggest.FromPopular, answer.ServedFrom)
	require.Equal(t, []core.ID{21}, users(answer))

	for _, change := range []func(){func() { w.app.cut = true }, func() { w.app.away = true }} {
		change()
		answer = w.suggest(7)
		require.Equal(t, suggest.FromNothing, answer.ServedFrom)
		require.Empty(t, answer.Items)
	}
}

func TestWithoutRedisTheListIsComputedOnceAndKeptInMemory(t *testing.T) {
	w := newWorld(t)
	w.follows(1, 2)
	w.follows(2, 10)
	w.redis.Close()
	answer := w.suggest(1)
	require.Equal(t, suggest.FromComputed, answer.ServedFrom)
	require.True(t, answer.Degraded)
	answer = w.suggest(1)
	require.Equal(t, suggest.FromCache, answer.ServedFrom)
	require.Equal(t, []core.ID{10}, users(answer))
	require.Error(t, w.service.Dismiss(context.Background(), 1, 10))
}

func TestAnOlderLeadPublishesNoPopularPeople(t *testing.T) {
	w := newWorld(t)
	w.likes(50, 20, 1)
	job := suggest.NewPopularJob(w.source, false, w.redis)
	require.NoError(t, job.Run(context.Background(), 7))
	require.NoError(t, job.Run(context.Background(), 7))
	require.ErrorIs(t, job.Run(context.Background(), 6), redis.ErrFenced)
}

func TestWarmingComputesOnlyWhatIsNotFresh(t *testing.T) {
	w := newWorld(t)
	w.follows(1, 2)
	w.follows(2, 10)
	require.NoError(t, w.service.Warm(context.Background(), 1))
	require.Equal(t, suggest.FromCache, w.suggest(1).ServedFrom)
	w.gate.open.Store(true)
	require.NoError(t, w.service.Warm(context.Background(), 1))
	w.clock.advance(2 * time.Hour)
	require.Error(t, w.service.Warm(context.Background(), 1))
}

func TestTheCallsReadTheirParametersStrictly(t *testing.T) {
	w := newWorld(t)
	e := echo.New()
	for _, r := range suggest.NewAPI(w.service, stack.IntegerKeys{}).Routes() {
		e.Add(r.Method, r.Path, r.Handler)
	}
	call := func(method, target string) (*httptest.ResponseRecorder, error) {
		rec, req := httptest.NewRecorder(), httptest.NewRequest(method, target, nil)
		c := e.NewContext(req, rec)
		e.Router().Find(method, req.URL.Path, c)
		return rec, c.Handler()(c)
	}
	const path = "/api/v1/discover/suggested-users"
	rec, err := call(http.MethodGet, path+"?limit=50")
	require.NoError(t, err)
	require.JSONEq(t, `{"items":[],"next_cursor":null,"served_from":"clickhouse","degraded":false}`, rec.Body.String())
	for _, query := range []string{"?limit=51", "?limit=0", "?limit=x", "?limit=1&limit=2", "?user=2"} {
		_, err = call(http.MethodGet, path+query)
		require.Equal(t, core.CodeInvalidRequest, core.CodeOf(err), query)
	}
	rec, err = call(http.MethodPost, path+"/9/dismiss")
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, rec.Code)
	for _, id := range []string{"0", "-0", "01", "x", "99999999999999999999"} {
		_, err = call(http.MethodPost, path+"/"+id+"/dismiss")
		require.Equal(t, core.CodeInvalidRequest, core.CodeOf(err), id)
	}
}
