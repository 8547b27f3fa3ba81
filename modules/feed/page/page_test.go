package page_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
	"github.com/feedrank/feedrank/modules/feed/stages"
	"github.com/feedrank/feedrank/modules/feed/token"
)

var (
	noon    = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	secrets = [][]byte{[]byte("a secret of at least 32 bytes, for tests")}
)

type fixedClock struct{}

func (fixedClock) Now() time.Time { return noon }

// aPage is the second page of viewer 7, of two posts.
func aPage() *page.Page {
	next := cursor.Cursor{Algo: cursor.Ranked, Session: 99, StartedAt: noon, Shown: 22}
	return &page.Page{
		Viewer: 7, Now: noon, Ranking: &rank.Versioned{Version: 3, Config: rank.DefaultConfig()},
		Session: cursor.Cursor{Session: 99, Shown: 20}, Later: true, Next: &next, ServedFrom: page.FromStale,
		Items: []*shortlist.Post{
			{
				ID: 102, Author: 2, Created: noon.Add(-90 * time.Minute).UnixMicro(), Score: 0.625,
				Source: reserve.Followee | reserve.Trending, Interactions: 4,
				Terms:      rank.Terms{Freshness: 0.9, Engagement: 0.1, Affinity: 1.5},
				Engagement: core.Engagement{Exposures: 100, Likes: 7, Comments: 2, Shares: 1}, Before: 4,
			},
			{ID: 103, Author: 3, Created: noon.Add(-time.Hour).UnixMicro(), Source: reserve.Popular, Suppressed: true},
		},
		Sources: []stages.Report{{Name: "graph", Posts: 5}, {Name: "trending", Err: errors.New("late")}},
		Stages:  []stages.Record{{Name: "reserve", Took: 1500 * time.Microsecond}},
		Computing: []stages.Record{
			{Name: "merge", Took: time.Millisecond},
		},
	}
}

// answer is the JSON of a page, read by what knows nothing of how it was written.
func answer(t *testing.T, p *page.Page, detail page.Detail) (answer map[string]any, signer *token.Signer) {
	t.Helper()
	signer = token.NewSigner(secrets)
	text := page.Append([]byte("before"), p, detail, cursor.NewCodec(secrets, time.Hour, fixedClock{}), signer)
	require.Equal(t, "before", string(text[:6]), "what is there stays")
	require.NoError(t, json.Unmarshal(text[6:], &answer), string(text))
	return answer, signer
}

func items(t *testing.T, answer map[string]any) (items []map[string]any) {
	t.Helper()
	list, ok := answer["items"].([]any)
	require.True(t, ok)
	for _, one := range list {
		item, ok := one.(map[string]any)
		require.True(t, ok)
		items = append(items, item)
	}
	return items
}

func TestAPageSaysWhatItShowsWhereItCameFromAndHowToGoOn(t *testing.T) {
	p := aPage()
	got, signer := answer(t, p, page.Plain)
	require.Equal(t, "stale", got["served_from"])
	require.Equal(t, "ranked", got["algo"])
	require.InDelta(t, 3, got["ranking_version"], 0)
	require.Equal(t, "2026-05-01T12:00:00.000Z", got["as_of"])
	require.NotContains(t, got, "sources", "nobody asked, and nothing is wrong")
	require.NotContains(t, got, "stages")

	list := items(t, got)
	require.Len(t, list, 2)
	first := list[0]
	require.Equal(t, "102", first["post"])
	require.Equal(t, "2", first["author"])
	require.Equal(t, "2026-05-01T10:30:00.000Z", first["created_at"])
	require.InDelta(t, 0.625, first["score"], 0)
	require.Equal(t, "followees", first["source"], "the first of those that offered it")
	require.NotContains(t, first, "explain")
	session, err := signer.Parse(fmt.Sprint(first["feed_session"]), 7, 102)
	require.NoError(t, err)
	require.Equal(t, token.Token{Session: 99, Ranking: 3, Position: 21, Source: "followees", Served: "stale"}, session)

	next, err := cursor.NewCodec(secrets, time.Hour, fixedClock{}).Decode(7, fmt.Sprint(got["next_cursor"]))
	require.NoError(t, err)
	require.Equal(t, 22, next.Shown)

	p.Next, p.Degraded, p.ByTime = nil, true, true
	got, _ = answer(t, p, page.Plain)
	require.Nil(t, got["next_cursor"])
	require.Equal(t, "timeline", got["algo"])
	require.Equal(t, []any{
		map[string]any{"name": "graph", "posts": 5.0, "ok": true},
		map[string]any{"name": "trending", "posts": 0.0, "ok": false},
	}, got["sources"], "a degraded page says what failed")
}

func TestNumbersAreForWhomTheyAreMeantAndWordsForEverybody(t *testing.T) {
	got, _ := answer(t, aPage(), page.Numbers)
	explain, _ := items(t, got)[0]["explain"].(map[string]any)
	require.Equal(t, map[string]any{
		"age_hours": 1.5, "exposures": 100.0, "likes": 7.0, "comments": 2.0, "shares": 1.0, "author_interactions": 4.0,
		"dislikes": 0.0,
	}, explain["inputs"])
	require.InDelta(t, 0, explain["disliked"], 0)
	require.Equal(t, map[string]any{"before": 5.0, "after": 21.0}, explain["position"])
	require.Equal(t, []any{map[string]any{
		"name": "reserve", "ms": 1.5, "computing": []any{map[string]any{"name": "merge", "ms": 1.0}},
	}}, got["stages"])

	disliked := aPage()
	disliked.Items[0].Engagement.Dislikes = 5
	disliked.Items[0].Terms.Engagement -= disliked.Ranking.Disliked(disliked.Items[0].Engagement)
	again, _ := answer(t, disliked, page.Numbers)
	after, _ := items(t, again)[0]["explain"].(map[string]any)
	require.InDelta(t, explain["engagement"], after["engagement"], 1e-4, "what likes give stands")
	require.InDelta(t, -disliked.Ranking.Disliked(disliked.Items[0].Engagement), after["disliked"], 1e-4)

	got, _ = answer(t, aPage(), page.Words)
	list := items(t, got)
	words, _ := list[0]["explain"].(map[string]any)
	require.Equal(t, []any{"you follow the author", "you react to the author's posts", "many react to it today", "new"},
		words["reasons"])
	require.Len(t, words, 2, "reasons and adjustments, and no number")
	words, _ = list[1]["explain"].(map[string]any)
	require.NotContains(t, fmt.Sprint(words), "one account", "how engagement was judged is for operators")
}

func TestAdjustmentsSayWhatMovedAPost(t *testing.T) {
	adjustments := func(change func(*page.Page, *shortlist.Post)) []any {
		p := aPage()
		p.Later, p.Session.Shown = false, 0
		change(p, p.Items[1])
		got, _ := answer(t, p, page.Numbers)
		explain, _ := items(t, got)[1]["explain"].(map[string]any)
		list, _ := explain["adjustments"].([]any)
		return list
	}
	counts := "engagement does not count: it is of one account, or a few"
	for name, c := range map[string]struct {
		change func(*page.Page, *shortlist.Post)
		want   []any
	}{
		"down":  {func(_ *page.Page, s *shortlist.Post) { s.Before = 0 }, []any{"diversity: moved down", counts}},
		"up":    {func(_ *page.Page, s *shortlist.Post) { s.Before = 5 }, []any{"diversity: moved up", counts}},
		"there": {func(_ *page.Page, s *shortlist.Post) { s.Before = 1 }, []any{counts}},
		"by time": {
			func(p *page.Page, s *shortlist.Post) { p.ByTime, s.Relaxed, s.Suppressed = true, 1, false },
			[]any{"order of time"},
		},
		"relaxed": {
			func(_ *page.Page, s *shortlist.Post) { s.Before, s.Relaxed, s.Suppressed = 1, 3, false },
			[]any{"diversity relaxed: gap of 3 to 2"},
		},
		"later": {
			func(p *page.Page, s *shortlist.Post) { p.Later, s.Suppressed, s.Fresh = true, false, true },
			[]any{"order of the session's first page", "arrived after the reserve was made"},
		},
		"kept": {
			func(_ *page.Page, s *shortlist.Post) { s.Before, s.Quiet, s.Suppressed = 5, shortlist.KeptPlace, false },
			[]any{"diversity: moved up", "the place is kept for people who post seldom"},
		},
		"again": {
			func(_ *page.Page, s *shortlist.Post) { s.Before, s.Suppressed, s.Repeated = 1, false, true },
			[]any{"seen before: nothing else is left"},
		},
	} {
		require.Equal(t, c.want, adjustments(c.change), name)
	}
}

func TestNewPostsAreCountedUpToABound(t *testing.T) {
	for n, want := range map[int]string{
		0: `{"new_posts":0,"more":false}`, 99: `{"new_posts":99,"more":false}`, 100: `{"new_posts":99,"more":true}`,
	} {
		require.Equal(t, want, string(page.AppendNewPosts(nil, &page.Page{NewPosts: n}, 99)))
	}
}

func TestTimesHaveMilliseconds(t *testing.T) {
	for _, at := range []time.Time{
		noon, noon.Add(7 * time.Millisecond), noon.Add(-time.Microsecond), time.Unix(0, 0),
		time.Date(2028, 2, 29, 23, 59, 59, 999_999_999, time.FixedZone("", 3600)),
		time.Date(2261, 12, 31, 0, 0, 0, 0, time.UTC),
	} {
		p := aPage()
		p.Now, p.Items[0].Created = at, at.UnixMicro()
		got, _ := answer(t, p, page.Plain)
		const layout = "2006-01-02T15:04:05.000Z"
		require.Equal(t, at.UTC().Format(layout), got["as_of"])
		require.Equal(t, time.UnixMicro(at.UnixMicro()).UTC().Format(layout), items(t, got)[0]["created_at"])
	}
}
