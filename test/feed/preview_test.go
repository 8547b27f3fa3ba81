package feed_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

func TestAnOperatorSeesTheFeedOfAUserAndWhatTheFiltersKeepFromThem(t *testing.T) {
	w := newWorld(t, 30)
	w.follow(2, 3, 4, 5, 6)
	for author := 2; author <= 6; author++ {
		w.post(100+author, author, time.Duration(author)*time.Minute)
	}
	w.withAudiences()
	w.block(2, 4)
	w.mute(2, 5)
	w.interact(2, 7, 5)
	w.post(107, 7, 7*time.Minute)
	w.setAudience(107, core.Followers)
	w.load()
	w.event(2, core.ActionHide, 106)

	status, body := w.call(1, "/admin/v1/feed?user=2")
	require.Equal(t, http.StatusOK, status, string(body))
	var shown struct {
		Items []struct {
			Post    core.ID         `json:"post"`
			Explain json.RawMessage `json:"explain"`
		} `json:"items"`
	}
	require.NoError(t, json.Unmarshal(body, &shown))
	require.Len(t, shown.Items, 1)
	require.Equal(t, core.ID(103), shown.Items[0].Post)
	require.Contains(t, string(shown.Items[0].Explain), "author_interactions")
	require.Equal(t, []core.ID{103}, w.get(2, "").posts(), "it marked nothing as seen")

	status, body = w.call(1, "/admin/v1/feed/filtered?user=2")
	require.Equal(t, http.StatusOK, status, string(body))
	var kept httpserver.List[feed.Filtered]
	require.NoError(t, json.Unmarshal(body, &kept))
	posts := map[string]core.ID{}
	for _, f := range kept.Items {
		require.Equal(t, 1, f.Count, f.Filter)
		posts[f.Filter] = f.Posts[0].Post
	}
	require.Equal(t, map[string]core.ID{
		"own": 102, "blocked": 104, "muted": 105, "hidden": 106, "audience": 107,
	}, posts)

	for path, want := range map[string]int{
		"/admin/v1/feed": 400, "/admin/v1/feed/filtered": 400, "/admin/v1/feed?user=x": 400,
		"/admin/v1/feed?user=2&algo=best": 400, "/admin/v1/feed/trending?window=2h": 400,
		"/admin/v1/feed?user=2&algo=timeline": 200, "/admin/v1/feed/trending": 200,
	} {
		status, body := w.call(1, path)
		require.Equal(t, want, status, "%s: %s", path, body)
		status, _ = w.call(2, path)
		require.Equal(t, http.StatusForbidden, status, "%s needs the scope", path)
	}
}

func TestTrendingForOperatorsIsTheListBeforeItIsAnybodys(t *testing.T) {
	w := trendingWorld(t)
	w.block(1, 3)
	status, body := w.call(1, "/admin/v1/feed/trending?window=24h")
	require.Equal(t, http.StatusOK, status)
	var shown struct {
		Items []struct {
			Post core.ID `json:"post"`
		} `json:"items"`
	}
	require.NoError(t, json.Unmarshal(body, &shown))
	require.Len(t, shown.Items, 5, "whom this operator blocks is on it, too")
	require.Equal(t, core.ID(102), shown.Items[0].Post)
}

func TestLaterPagesForOperatorsGoOnWhereTheFirstEnded(t *testing.T) {
	w := newWorld(t, 30)
	w.follow(2, 3, 4, 5)
	for author := 3; author <= 5; author++ {
		w.post(100+author, author, time.Duration(author)*time.Minute)
	}
	w.load()
	seen := map[core.ID]bool{}
	next := ""
	for range 3 {
		status, body := w.call(1, "/admin/v1/feed?user=2&limit=1&cursor="+next)
		if next == "" {
			status, body = w.call(1, "/admin/v1/feed?user=2&limit=1")
		}
		require.Equal(t, http.StatusOK, status, string(body))
		var p struct {
			Items []struct {
				Post core.ID `json:"post"`
			} `json:"items"`
			NextCursor string `json:"next_cursor"`
		}
		require.NoError(t, json.Unmarshal(body, &p))
		require.Len(t, p.Items, 1)
		require.False(t, seen[p.Items[0].Post], "no post twice")
		seen[p.Items[0].Post], next = true, p.NextCursor
	}
}
