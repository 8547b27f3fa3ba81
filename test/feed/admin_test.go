package feed_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/test/wait"
)

func (w *world) whyNot(user int, post int) feed.WhyNot {
	w.t.Helper()
	status, body := w.call(1, fmt.Sprintf("/admin/v1/why-not?user=%d&post=%d&limit=3", user, post))
	require.Equal(w.t, http.StatusOK, status, string(body))
	var verdict feed.WhyNot
	require.NoError(w.t, json.Unmarshal(body, &verdict))
	return verdict
}

func TestWhyNotNamesTheStageAndTheRule(t *testing.T) {
	w := newWorld(t, 30, func(c *feed.Config) {
		c.ReserveSize, c.Sources.Popular.Limit, c.Sources.Followees.PerAuthor = 100, 2, 100
	})
	w.follow(2, 3, 4, 5, 6, 7, 8, 9)
	w.post(100, 2, time.Hour)
	for author := 3; author <= 8; author++ {
		w.post(100+author, author, time.Duration(author)*time.Minute)
	}
	w.post(120, 20, 50*time.Hour)
	w.post(121, 3, 100*time.Hour)
	w.block(2, 4)
	w.block(5, 2)
	w.mute(2, 6)
	w.load()
	w.event(2, core.ActionHide, 107)
	w.event(2, core.ActionView, 108)
	w.deletePost(103)
	w.post(130, 3, time.Minute)
	for i := range 120 {
		w.post(200+i, 9, 10*time.Hour+time.Duration(i)*time.Minute)
	}
	w.clock.advance(10 * time.Second) // else they have only just arrived, and are looked at one by one
	for post, rule := range map[int][2]string{
		100: {"filters", "own"}, 103: {"filters", "not_visible"}, 104: {"filters", "blocked"},
		105: {"filters", "blocked_by"},
		106: {"filters", "muted"}, 107: {"filters", "hidden"}, 108: {"filters", "seen"}, 120: {"sources", "no_source"},
		121: {"sources", "too_old"}, 130: {"page", "shown"}, 999: {"filters", "not_visible"},
		209: {"page", "below_page"},
		318: {"sources", "source_full"}, 299: {"reserve", "reserve_full"},
	} {
		verdict := w.whyNot(2, post)
		require.Equal(t, rule, [2]string{verdict.Stage, verdict.Rule}, "post %d: %s", post, verdict.Detail)
		require.NotEmpty(t, verdict.Detail)
	}
	shown := w.whyNot(2, 130)
	require.Equal(t, "shown", shown.Verdict)
	require.Contains(t, string(shown.Explain), `"author_interactions"`)
	require.Equal(t, core.ID(130), w.get(2, "").Items[shown.Place-1].Post)
	require.Positive(t, w.whyNot(2, 209).Lacks)
	status, _ := w.call(2, "/admin/v1/why-not?user=2&post=130")
	require.Equal(t, http.StatusForbidden, status)
	status, _ = w.call(1, "/admin/v1/why-not?user=2")
	require.Equal(t, http.StatusBadRequest, status)
}

func TestAnExplainedPageRecordsItsStages(t *testing.T) {
	w := newWorld(t, 5)
	w.follow(1, 2)
	w.post(102, 2, time.Hour)
	w.load()
	stages := func(query string) (names []string, computing []string) {
		for _, s := range w.get(1, query).Stages {
			names = append(names, s.Name)
			for _, c := range s.Computing {
				computing = append(computing, c.Name)
			}
		}
		return names, computing
	}
	names, computing := stages("explain=true")
	require.Equal(t, []string{"hydrate", "reserve", "page"}, names)
	require.Equal(t, []string{"hydrate", "sources", "merge", "rank"}, computing)
	w.cached(1, "")
	names, computing = stages("explain=true")
	require.Equal(t, []string{"hydrate", "reserve", "page"}, names)
	require.Empty(t, computing, "nothing is computed for a cached page")
	names, _ = stages("")
	require.Empty(t, names)
}

func TestTheRankingChangesAtRunTime(t *testing.T) {
	w := newWorld(t, 30)
	w.follow(2, 3, 4)
	w.post(103, 3, time.Minute)
	w.post(104, 4, 20*time.Hour)
	w.engage(104, 4, 100, 20)
	for i := range 4 {
		w.post(110+i, 5+i, 40*time.Hour)
	}
	w.load()
	first := w.cached(2, "limit=2")
	require.Equal(t, []core.ID{103, 104}, first.posts())

	change := `{"version":0,"note":"engagement first","ranking":{"weights":{"freshness":0,"engagement":1,"affinity":0}}}`
	status, body := w.do(http.MethodPost, 1, "/admin/v1/ranking/dry-run", `{"users":["2"],`+change[1:])
	require.Equal(t, http.StatusOK, status, string(body))
	var tried feed.DryRun
	require.NoError(t, json.Unmarshal(body, &tried))
	require.Equal(t, core.ID(103), tried.Users[0].Before[0])
	require.Equal(t, core.ID(104), tried.Users[0].After[0])
	require.Equal(t, []core.ID{103, 104}, w.get(2, "limit=2").posts(), "a dry run changes nothing")

	status, body = w.do(http.MethodPut, 1, "/admin/v1/ranking", change)
	require.Equal(t, http.StatusOK, status, string(body))
	p := w.get(2, "limit=2&explain=true")
	require.Equal(t, core.ID(104), p.Items[0].Post)
	require.InDelta(t, 1, p.Items[0].Explain.Weights["engagement"], 0)
	require.InDelta(t, 0.4, w.get(2, "explain=true&limit=2&"+first.next()).Items[0].Explain.Weights["engagement"], 0,
		"a session keeps its version")

	status, _ = w.do(http.MethodPut, 1, "/admin/v1/ranking", change)
	require.Equal(t, http.StatusConflict, status, "over a version that is not in force any more")
	status, body = w.do(http.MethodPost, 1, "/admin/v1/ranking/rollback", `{"version":1,"rollback_to":0,"note":"oops"}`)
	require.Equal(t, http.StatusOK, status, string(body))
	require.Equal(t, core.ID(103), w.get(2, "").Items[0].Post)
	_, body = w.call(1, "/admin/v1/ranking")
	require.Contains(t, string(body), "rollback to version 0: oops")
	for _, wrong := range []string{
		`{`, ``, `null`, `{"version":2,"ranking":null}`, `{"version":-2,"ranking":{}}`, `{"version":2,"ranking":{}} {}`,
		`{"version":2,"ranking":{},"users":[0]}`,
		`{"version":2,"ranking":{"diversity":{"top":5.5}}}`, `{"version":2,"ranking":{"weights":{"freshness":1e999}}}`,
		`{"version":2,"ranking":{},"note":"` + strings.Repeat("x", 501) + `"}`,
		`{"version":2,"ranking":{"wieghts":{}}}`, `{"version":2,"ranking":{"freshness_decay":-1}}`, `{"version":2}`,
		`{"version":2,"ranking":[]}`,
		`{"version":2,"ranking":{"weights":{"freshness":0,"engagement":0,"affinity":0}}}`,
	} {
		status, _ = w.do(http.MethodPut, 1, "/admin/v1/ranking", wrong)
		require.Equal(t, http.StatusBadRequest, status, wrong)
		status, _ = w.do(http.MethodPost, 1, "/admin/v1/ranking/dry-run", wrong)
		require.Equal(t, http.StatusBadRequest, status, wrong)
	}
	for wrong, says := range map[string]string{
		`[]`:              `"want an object, not array","code":"invalid_request","field":"body"`,
		`{"version":"2"}`: `"want a whole number, not string","code":"invalid_request","field":"version"`,
		`{"version":2,"ranking":{"diversity":{"top":5.5}}}`:     `"want a whole number, not number 5.5","code":"invalid_request","field":"ranking.diversity.top"`,
		`{"version":2,"ranking":{"weights":{"affinity":"1"}}}`:  `"want a number, not string","code":"invalid_request","field":"ranking.weights.affinity"`,
		`{"version":2,"ranking":{"weights":{"wieght":1}}}`:      `unknown field \"wieght\"","code":"malformed_json"`,
		`{"version":2,"ranking":{"weights":{"affinity":1000}}}`: `"is 1000; want at most 100","code":"invalid_request","field":"ranking.weights.affinity"`,
	} {
		_, body = w.do(http.MethodPut, 1, "/admin/v1/ranking", wrong)
		require.Contains(t, string(body), says, wrong)
	}
	for _, wrong := range []string{
		`{"version":2}`, `{"version":2,"rollback_to":99}`, `{"version":2,"rollback_to":-1}`,
		`{"version":2,"rollback_to":null}`,
	} {
		status, _ = w.do(http.MethodPost, 1, "/admin/v1/ranking/rollback", wrong)
		require.Equal(t, http.StatusBadRequest, status, wrong)
	}
	_, body = w.call(1, "/admin/v1/ranking?history=0")
	require.Contains(t, string(body), `"version":2,`, "a mistake changes nothing")
}

func TestADryRunComputesByTheOtherConstants(t *testing.T) {
	w := newWorld(t, 10)
	w.follow(2, 3, 4)
	w.post(103, 3, time.Hour)
	w.post(104, 4, 2*time.Hour)
	w.interact(2, 4, 5)
	w.load()
	require.Equal(t, []core.ID{104, 103}, w.cached(2, "").posts(), "its entry has the affinity of the ranking in force")
	dryRun := `{"users":["2"],"ranking":{"affinity":{"like":0}}}`
	status, body := w.do(http.MethodPost, 1, "/admin/v1/ranking/dry-run", dryRun)
	require.Equal(t, http.StatusOK, status, string(body))
	var tried feed.DryRun
	require.NoError(t, json.Unmarshal(body, &tried))
	require.Equal(t, []core.ID{104, 103}, tried.Users[0].Before)
	require.Equal(t, []core.ID{103, 104}, tried.Users[0].After)
	require.InDelta(t, 1, tried.Overlap, 0)
	require.InDelta(t, 1, tried.Moved, 0)
	w.away.clickhouse.closed.Store(true)
	status, _ = w.do(http.MethodPost, 1, "/admin/v1/ranking/dry-run", dryRun)
	require.Equal(t, http.StatusServiceUnavailable, status, "a cached entry cannot tell")
}

func TestAnOperatorDropsCachedReserves(t *testing.T) {
	w := newWorld(t, 10)
	w.post(102, 2, time.Hour)
	w.load()
	w.cached(1, "")
	status, _ := w.do(http.MethodDelete, 1, "/admin/v1/cache/1", "")
	require.Equal(t, http.StatusNoContent, status)
	require.Equal(t, "clickhouse", w.get(1, "").ServedFrom)
	w.cached(1, "")
	status, body := w.do(http.MethodDelete, 1, "/admin/v1/cache", "")
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"dropped":1}`, string(body))
	require.Equal(t, "clickhouse", w.get(1, "").ServedFrom)

	w.cached(1, "")
	w.cached(12, "")
	w.event(12, core.ActionHide, 102)
	status, body = w.do(http.MethodDelete, 1, "/admin/v1/cache?pattern="+url.QueryEscape("feed:v1:{12*"), "")
	require.Equal(t, http.StatusOK, status, string(body))
	require.JSONEq(t, `{"dropped":1}`, string(body))
	require.Equal(t, "cache", w.get(1, "").ServedFrom)
	require.Empty(t, w.get(12, "").Items)
	for _, wrong := range []string{
		"?pattern=", "?pattern=*", "?pattern=hidden:v1:*",
		"?pattern=" + strings.Repeat("x", 300), "?patern=feed:v1:*", "/1?pattern=feed:v1:*",
	} {
		status, _ = w.do(http.MethodDelete, 1, "/admin/v1/cache"+wrong, "")
		require.Equal(t, http.StatusBadRequest, status, wrong)
	}
	require.Equal(t, "cache", w.get(1, "").ServedFrom, "a mistake drops nothing")
}

func TestTheNumbersBehindAScoreAreForOperatorsUnlessConfigured(t *testing.T) {
	require.Equal(t, feed.OnlyAdmin, feed.DefaultConfig().Explain)
	w := newWorld(t, 20, func(c *feed.Config) { c.Explain = feed.OnlyAdmin })
	w.follow(2, 3)
	w.post(103, 3, time.Minute)
	w.post(104, 4, 30*time.Hour)
	w.engage(104, 4, 100, 90)
	w.interact(2, 3, 5)
	w.load()
	for _, query := range []string{"explain=true", "explain=true&limit=1", "explain=true&algo=timeline"} {
		_, body := w.call(2, "/api/v1/feed?"+query)
		for _, number := range []string{
			"likes", "exposures", "weights", "author_interactions", "freshness",
			"affinity\":",
		} {
			require.NotContains(t, string(body), number, query)
		}
	}
	_, body := w.call(2, "/api/v1/feed?explain=true")
	require.Contains(t, string(body), `"explain":{"reasons":["you follow the author","you react to the author's posts"`)
	require.Contains(t, string(body), `"reasons":["many react to it today"`)
	_, body = w.call(2, "/api/v1/feed")
	require.NotContains(t, string(body), "explain")
	require.InDelta(t, 1, w.get(1, "explain=true").Items[0].Explain.Inputs["exposures"]/100, 1, "an operator's token")
	require.NotNil(t, w.get(1, "explain=true").Items[0].Explain.Weights)
}

func TestWhyNotLooksAtWhatTheViewerIsServed(t *testing.T) {
	w := newWorld(t, 30, func(c *feed.Config) { c.Sources.Popular.Limit = 0 })
	w.follow(2, 3, 4, 5)
	for author := 3; author <= 5; author++ {
		w.post(100+author, author, time.Minute)
	}
	w.post(120, 20, 2*time.Hour)
	w.engage(120, 20, 100, 50)
	w.post(121, 21, 3*time.Hour)
	w.load()
	require.Equal(t, "clickhouse", string(w.whyNot(2, 120).ServedFrom), "nothing is cached")
	require.Contains(t, w.cached(2, "").posts(), core.ID(120))

	w.engage(120, 20, 0, -50) // it leaves the list of trending posts; the entry has it
	w.interact(2, 21, 20)     // and this author comes to be liked
	w.load()
	verdict := w.whyNot(2, 120)
	require.Equal(t, "cache", string(verdict.ServedFrom))
	require.NotEqual(t, "dropped", verdict.Verdict, verdict.Detail)
	require.Equal(t, core.ID(120), w.get(2, "").Items[verdict.Place-1].Post, "the place that the viewer is shown it at")
	require.NotNil(t, verdict.Fresh)
	require.Equal(t, []string{"dropped", "no_source"}, []string{verdict.Fresh.Verdict, verdict.Fresh.Rule})
	require.Contains(t, verdict.Detail, "a computation of this moment says otherwise")
	require.NotEmpty(t, verdict.ComputedAt)

	verdict = w.whyNot(2, 121)
	require.Equal(t, []string{"dropped", "not_in_entry"}, []string{verdict.Verdict, verdict.Rule}, verdict.Detail)
	require.NotContains(t, w.get(2, "limit=3").posts(), core.ID(121))
	require.Equal(t, "shown", verdict.Fresh.Verdict)

	w.away.clickhouse.closed.Store(true)
	verdict = w.whyNot(2, 103)
	require.Equal(t, "shown", verdict.Verdict)
	require.Nil(t, verdict.Fresh)
	require.Contains(t, verdict.Detail, "ClickHouse cannot be asked")
	w.away.clickhouse.closed.Store(false)

	status, _ := w.do(http.MethodDelete, 1, "/admin/v1/cache/2", "")
	require.Equal(t, http.StatusNoContent, status)
	require.Equal(t, "no_source", w.whyNot(2, 120).Rule)
	require.Equal(t, "shown", w.whyNot(2, 121).Verdict)
}

func TestWhyNotTellsWhereAPostStandsInASession(t *testing.T) {
	w := newWorld(t, 30)
	for author := 3; author <= 9; author++ {
		w.post(100+author, author, time.Duration(author)*time.Minute)
	}
	w.load()
	first := w.get(2, "limit=2")
	w.post(150, 10, 0)
	wait.Until(t, func() bool { return len(w.whyNot(2, 109).Sessions) == 1 }, "the order is written after the answer")
	require.Equal(t, []feed.SessionSays{{Place: 7, Of: 7}}, w.whyNot(2, 109).Sessions)
	require.Equal(t, []feed.SessionSays{{Place: 1, Of: 7}}, w.whyNot(2, int(first.Items[0].Post)).Sessions)
	require.Empty(t, w.whyNot(2, 150).Sessions, "what is new is in no session that began before")
}
