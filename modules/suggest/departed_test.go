package suggest_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/suggest"
	"github.com/feedrank/feedrank/test/stack"
)

func (w *world) told(kind core.ChangeKind, users ...core.ID) {
	w.t.Helper()
	changes := make([]core.Change, len(users))
	for i, id := range users {
		changes[i] = core.Change{Kind: kind, Viewer: id}
	}
	require.NoError(w.t, w.store.Changed(context.Background(), changes))
	w.clock.advance(time.Second) // it holds within a second
}

func TestWhoIsDeletedLeavesEveryCachedListWithinASecond(t *testing.T) {
	w := newWorld(t)
	w.follows(1, 2, 3)
	w.follows(2, 10, 11)
	w.follows(3, 10, 12)
	w.follows(7, 2)
	require.Equal(t, []core.ID{10, 11, 12}, users(w.suggest(1)))
	require.Equal(t, []core.ID{10, 11}, users(w.suggest(7)))
	w.told(core.UserGone, 10)
	for _, user := range []core.ID{1, 7} {
		answer := w.suggest(user)
		require.Equal(t, suggest.FromCache, answer.ServedFrom)
		require.NotContains(t, users(answer), core.ID(10))
	}
	w.told(core.UserGone, 3) // who speaks for 12
	require.Equal(t, []core.ID{11}, users(w.suggest(1)))

	w.gate.open.Store(true) // ClickHouse is away: an old list
	w.clock.advance(2 * time.Hour)
	answer := w.suggest(1)
	require.Equal(t, suggest.FromStale, answer.ServedFrom)
	require.Equal(t, []core.ID{11}, users(answer))
	w.gate.open.Store(false)

	w.told(core.UserBack, 10)
	require.Contains(t, users(w.suggest(1)), core.ID(10))
	w.told(core.UserGone, 10)
	require.NotContains(t, users(w.suggest(1)), core.ID(10))
}

func TestWhoOptsOutIsSuggestedToNobodyAndNoReason(t *testing.T) {
	w := newWorld(t)
	w.follows(1, 2, 3)
	w.follows(2, 10, 11)
	w.follows(3, 12)
	require.ElementsMatch(t, []core.ID{10, 11, 12}, users(w.suggest(1)))
	optOut := func(is bool, users ...core.ID) {
		for _, id := range users {
			w.write(fmt.Sprintf("INSERT INTO users (id, no_discovery, version) VALUES (%d, %t, %d)", id, is,
				w.clock.Now().UnixMicro()))
			require.NoError(t, w.store.Changed(context.Background(), []core.Change{
				{Kind: core.UserBack, Viewer: id, NoDiscovery: is},
			}))
		}
		w.clock.advance(time.Second) // it holds within a second
	}
	forget := func() {
		conn, err := w.redis.Conn()
		require.NoError(t, err)
		require.NoError(t, conn.Do(context.Background(), conn.B().Flushall().Build()).Error())
	}
	optOut(true, 10, 3)
	answer := w.suggest(1)
	require.Equal(t, suggest.FromCache, answer.ServedFrom)
	require.Equal(t, []core.ID{11}, users(answer), "3 speaks for nobody")

	w.follows(7, 2)
	forget()
	w.anew() // who was told nothing
	for _, user := range []core.ID{1, 7} {
		answer = w.suggest(user)
		require.Equal(t, suggest.FromComputed, answer.ServedFrom)
		require.Equal(t, []core.ID{11}, users(answer))
	}
	optOut(false, 10, 3)
	forget()
	w.anew()
	require.ElementsMatch(t, []core.ID{10, 11, 12}, users(w.suggest(1)))
}

func TestAnErasedUserIsSuggestedNoMore(t *testing.T) {
	w := newWorld(t)
	w.follows(1, 2)
	w.follows(2, 10, 11)
	require.Equal(t, []core.ID{10, 11}, users(w.suggest(1)))
	w.erased[10] = true
	require.Equal(t, []core.ID{11}, users(w.suggest(1)))
	w.erased[2] = true
	require.Empty(t, w.suggest(1).Items, "nobody is left who speaks for them")
}

func TestWhoIsBlockedMutedOrDeletedIsNoReason(t *testing.T) {
	for name, bar := range map[string]func(w *world, seed core.ID){
		"blocked":    func(w *world, seed core.ID) { w.edges(edge{from: 1, to: seed, kind: "block"}) },
		"blocked by": func(w *world, seed core.ID) { w.edges(edge{from: 1, to: seed, kind: "blocked_by"}) },
		"muted":      func(w *world, seed core.ID) { w.edges(edge{from: 1, to: seed, kind: "mute"}) },
		"deleted": func(w *world, seed core.ID) {
			w.write(fmt.Sprintf("INSERT INTO users (id, version, is_deleted) VALUES (%d, 9, 1)", seed))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.follows(1, 2, 3)
			w.follows(2, 10)
			w.follows(3, 10, 11)
			w.likes(3, 12, 1)
			bar(w, 3)
			answer := w.suggest(1)
			require.Equal(t, []core.ID{10}, users(answer), "11 and 12 are near to nobody else")
			require.Equal(t, suggest.Reason{Kind: suggest.FollowedBy, Count: 1, Users: []core.ID{2}},
				answer.Items[0].Reason)
		})
	}
}

func TestAReasonForgetsWhomTheViewerCameToBlock(t *testing.T) {
	w := newWorld(t)
	w.follows(1, 2, 3)
	w.follows(2, 10)
	w.follows(3, 10, 11)
	require.Len(t, w.suggest(1).Items, 2)
	require.NoError(t, w.store.Changed(context.Background(), []core.Change{{Kind: core.Blocked, Viewer: 3, Other: 1}}))
	answer := w.suggest(1)
	require.Equal(t, suggest.FromCache, answer.ServedFrom)
	require.Equal(t, []core.ID{10}, users(answer))
	require.Equal(t, suggest.Reason{Kind: suggest.FollowedBy, Count: 1, Users: []core.ID{2}}, answer.Items[0].Reason)
}

func TestWhoWasFollowedLatelySpeaksForOthers(t *testing.T) {
	w := newWorld(t)
	w.follows(1, 2)
	w.follows(2, 10)
	require.NoError(t, w.store.Changed(context.Background(), []core.Change{{Kind: core.Followed, Viewer: 1, Other: 2}}))
	for range 2 { // computed, and from the cache
		require.Equal(t, suggest.Reason{Kind: suggest.FollowedBy, Count: 1, Users: []core.ID{2}},
			w.suggest(1).Items[0].Reason)
	}
}

func TestNobodyIsNamedUnlessThatIsConfigured(t *testing.T) {
	require.False(t, suggest.DefaultConfig().NameOthers)
	w := newWorld(t, func(c *suggest.Config) { c.NameOthers = false })
	w.follows(1, 2, 3)
	w.follows(2, 10)
	w.follows(3, 10)
	w.likes(2, 11, 1)
	for range 2 { // computed, and from the cache
		answer := w.suggest(1)
		require.Equal(t, []core.ID{10, 11}, users(answer))
		require.Equal(t, suggest.Reason{Kind: suggest.FollowedBy, Count: 2}, answer.Items[0].Reason)
		require.Equal(t, suggest.Reason{Kind: suggest.EngagedBy, Count: 1}, answer.Items[1].Reason)
	}
}

func TestWhoDoesNotExistIsNotSuggested(t *testing.T) {
	w := newWorld(t)
	w.users = true
	w.anew()
	for _, id := range []int{1, 2, 10, 20} {
		w.write(fmt.Sprintf("INSERT INTO users (id, created_at, version, is_deleted) VALUES (%d, now64(6), 1, 0)", id))
	}
	w.follows(1, 2, 3) // 3 is nobody
	w.follows(2, 10)
	w.follows(3, 10)
	w.likes(1, 990, 50) // of a made-up post
	w.likes(2, 991, 5)
	w.likes(50, 992, 5)
	w.likes(51, 992, 5)
	w.likes(52, 20, 5)
	require.NoError(t, suggest.NewPopularJob(w.source, true, w.redis).Run(context.Background(), 1))
	answer := w.suggest(1)
	require.ElementsMatch(t, []core.ID{10, 20}, users(answer))
	require.Equal(t, int64(1), answer.Items[0].Reason.Count)

	w.gate.open.Store(true)
	w.app.edges = []suggest.Edge{}
	answer = w.suggest(8)
	require.Equal(t, suggest.FromPopular, answer.ServedFrom)
	require.Equal(t, []core.ID{20}, users(answer), "the list for when ClickHouse is away has nobody else either")
	w.gate.open.Store(false)

	w.write("INSERT INTO users (id, version, is_deleted) VALUES (10, 2, 1)")
	w.clock.advance(2 * time.Hour)
	require.Equal(t, []core.ID{20}, users(w.suggest(1)), "though they were there before")
}

func TestADismissalIsTakenBack(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.follows(1, 2)
	w.follows(2, 10, 11, 12)
	require.Len(t, w.suggest(1).Items, 3)
	require.NoError(t, w.service.Dismiss(ctx, 1, 10))
	require.NoError(t, w.service.Dismiss(ctx, 1, 11))
	require.Equal(t, []core.ID{12}, users(w.suggest(1)))
	require.NoError(t, w.service.Undismiss(ctx, 1, 10))
	require.NoError(t, w.service.Undismiss(ctx, 1, 99))
	require.Equal(t, []core.ID{10, 12}, users(w.suggest(1)))

	// Who was followed meanwhile is not suggested again.
	require.NoError(t, w.store.Changed(ctx, []core.Change{{Kind: core.Followed, Viewer: 1, Other: 11}}))
	require.NoError(t, w.service.Undismiss(ctx, 1, 11))
	require.Equal(t, []core.ID{10, 12}, users(w.suggest(1)))

	e := echo.New()
	for _, r := range suggest.NewAPI(w.service, stack.IntegerKeys{}).Routes() {
		if r.Method == http.MethodDelete {
			e.Add(r.Method, r.Path, r.Handler)
		}
	}
	require.Len(t, e.Routes(), 1)
}

// anew makes the service anew.
func (w *world) anew() {
	w.t.Helper()
	w.metrics = prometheus.NewRegistry()
	service, err := suggest.New(suggest.Params{
		Config: w.cfg, Source: w.source, Fallback: &w.app,
		Gates: suggest.Gates{Source: &w.gate, Redis: suggest.AlwaysAsk{}}, Store: w.store,
		LeftOut: w.erased.has, Users: w.users, Clock: w.clock, Log: zap.NewNop(), Registerer: w.metrics,
	})
	require.NoError(w.t, err)
	w.service = service
}

// erased are people of a test.
type erased map[core.ID]bool

// has is their suggest.LeftOut.
func (e erased) has(user core.ID) bool { return e[user] }
