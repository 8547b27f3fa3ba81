package feed_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/published"
)

// withLabels gives the app a column of labels, and starts the feed anew with it.
func (w *world) withLabels() {
	w.t.Helper()
	w.sql("ALTER TABLE posts ADD labels text[]")
	w.tables.Posts.LabelColumns = []string{"labels"}
	w.tables.Posts.Labels = func(columns map[string]json.RawMessage) (labels []string, err error) {
		return labels, json.Unmarshal(columns["labels"], &labels)
	}
	w.start()
}

// label gives a post these labels and no others, and the feed hears of it.
func (w *world) label(id int, labels ...string) {
	w.t.Helper()
	w.sql("UPDATE posts SET labels = $2 WHERE id = $1", id, labels)
	w.changedPost(id)
}

// trends are the trending posts of a window, as a user gets them.
func (w *world) trends(user int, window string) []core.ID {
	w.t.Helper()
	return w.list(user, "/api/v1/feed/trending?window="+window).posts()
}

// inLanguages is a world in which user 1 follows 2, whose posts are in several languages, as are those of stranger 3.
func inLanguages(t *testing.T, change ...func(*feed.Config)) *world {
	w := newWorld(t, 20, change...)
	w.withLabels()
	w.follow(1, 2)
	for i, labels := range [][]string{
		{"lang:de"}, {"lang:en", "sensitive"}, {"lang:fr", "tag:go"}, {"lang:und"}, {},
	} {
		for author, post := range map[int]int{2: 200 + i, 3: 300 + i} {
			w.post(post, author, time.Duration(post)*time.Minute/10)
			w.label(post, labels...)
		}
	}
	w.load()
	return w
}

func TestAFeedIsNarrowedToLanguagesAndLabels(t *testing.T) {
	w := inLanguages(t)
	german, goOrSensitive := []core.ID{200, 203, 300, 303}, []core.ID{201, 202, 301, 302}
	narrowed := func(lang, labels string) string {
		return url.Values{"lang": {lang}, "labels": {labels}}.Encode()
	}
	require.ElementsMatch(t, german, w.get(1, "lang=de").posts(), "and those of which nobody knows")
	require.Len(t, w.cached(1, "").posts(), 10, "the entry knows nothing of that")
	check := func() {
		t.Helper()
		require.ElementsMatch(t, german, w.get(1, "lang=de").posts())
		require.ElementsMatch(t, goOrSensitive, w.get(1, "labels=tag:go,sensitive").posts())
		require.ElementsMatch(t, []core.ID{201, 301}, w.get(1, narrowed("en,de", "tag:go,sensitive")).posts())
		require.Empty(t, w.get(1, "labels=tag:nobody+has").posts())
	}
	check()
	require.Equal(t, []core.ID{200, 203}, w.get(1, "algo=timeline&lang=de").posts())
	status, body := w.call(1, "/api/v1/feed?lang=de&since="+w.clock.Now().Add(-24*time.Hour).Format(time.RFC3339Nano))
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"new_posts":2,"more":false}`, string(body))

	w.label(200, "lang:en")
	w.label(204, "lang:de")
	german = []core.ID{204, 203, 300, 303}
	check()
	w.away.clickhouse.closed.Store(true)
	check()
	w.flush()
	w.start() // else it remembers an entry
	w.load()
	require.Equal(t, "postgres", w.get(1, "lang=de").ServedFrom)
	check()
	w.away.redis.closed.Store(true)
	w.start() // its hot set is never loaded
	require.Equal(t, []core.ID{203, 204}, w.get(1, "lang=de").posts(), "the timeline, by PostgreSQL")
	require.Equal(t, []core.ID{202}, w.get(1, "labels=tag:go").posts())
}

func TestANarrowedPageIsNotEmptyBecauseTheEntryHasNothingOfIt(t *testing.T) {
	w := inLanguages(t)
	w.cached(1, "")
	w.post(900, 5, time.Hour)
	w.label(900, "late")
	require.Equal(t, []core.ID{900}, w.get(1, "labels=late").posts())
	w.away.clickhouse.closed.Store(true)
	w.start() // its hot set is never loaded
	p := w.get(1, "labels=late")
	require.Equal(t, "cache", p.ServedFrom)
	require.Equal(t, []core.ID{900}, p.posts())
	require.Empty(t, w.get(1, "labels=nobody+has").posts())
}

func TestPagesOfANarrowedSessionAreNarrowed(t *testing.T) {
	w := inLanguages(t)
	for _, algo := range []string{"ranked", "timeline"} {
		first := w.get(1, "limit=1&lang=de&algo="+algo)
		require.NotNil(t, first.NextCursor)
		next := "limit=10&algo=" + algo + "&cursor=" + *first.NextCursor
		rest := w.get(1, next+"&lang=de")
		for _, post := range append(first.posts(), rest.posts()...) {
			require.Contains(t, []core.ID{200, 203, 300, 303}, post)
		}
		require.NotContains(t, rest.posts(), first.posts()[0])
		for _, other := range []string{"", "&lang=en", "&lang=de,en", "&labels=lang:de"} {
			status, body := w.call(1, "/api/v1/feed?"+next+other)
			require.Equal(t, http.StatusBadRequest, status)
			require.Contains(t, string(body), "other lang or labels")
		}
	}
	for _, bad := range []string{
		"lang=", "lang=de,,en", "labels=1,2,3,4,5,6,7,8,9,10,11", "labels=" + strings.Repeat("x", 65),
	} {
		status, body := w.call(1, "/api/v1/feed?"+bad)
		require.Equal(t, http.StatusBadRequest, status, bad)
		require.Contains(t, string(body), "commas")
	}
}

func TestPostsInNoKnownLanguageCanBeHidden(t *testing.T) {
	w := inLanguages(t, func(c *feed.Config) { c.Labels.UnknownLanguage = feed.Hide })
	require.ElementsMatch(t, []core.ID{200, 300}, w.get(1, "lang=de").posts())
	require.ElementsMatch(t, []core.ID{203, 303}, w.get(1, "lang=und").posts(), "who asks for them gets them")
}

// TestDiscoveryIsStricterThanWhatOneFollows gives posts a label that keeps them out of discovery, and takes it back.
func TestDiscoveryIsStricterThanWhatOneFollows(t *testing.T) {
	w := inLanguages(t, func(c *feed.Config) { c.Labels.DiscoveryHides = []string{"sensitive"} })
	check := func(hidden ...core.ID) {
		t.Helper()
		for _, query := range []string{"", "labels=lang:en,lang:fr,lang:de"} {
			posts := w.get(1, query).posts()
			for _, post := range hidden {
				require.NotContains(t, posts, post, query)
			}
			require.Contains(t, posts, core.ID(201), "by a followee")
		}
	}
	check(301)
	w.cached(1, "")
	check(301)
	verdict := w.whyNot(1, 301)
	require.Equal(t, "label", verdict.Rule)
	require.Contains(t, verdict.Detail, "feed.labels.discovery_hides")
	require.Contains(t, verdict.Detail, core.LabelIDs([]string{"sensitive"})[0].String(), "a name, where keys have one")

	for post := 400; post < 403; post++ {
		w.post(post, 4, time.Hour)
		w.engage(post, 4, 1000, 500)
	}
	w.load()
	require.ElementsMatch(t, []core.ID{400, 401, 402}, w.trends(1, "24h"))
	w.label(401, "sensitive", "lang:de")
	require.ElementsMatch(t, []core.ID{400, 402}, w.trends(1, "24h"), "before the list is made anew")
	check(301, 401)
	w.load()
	require.ElementsMatch(t, []core.ID{400, 402}, w.trends(1, "24h"))
	left, _ := w.hot.LeftOut(false, 10)
	require.Len(t, left, 1)
	require.Equal(t, hot.Labelled, left[0].Why)
	w.label(401, "lang:de")
	w.load()
	require.ElementsMatch(t, []core.ID{400, 401, 402}, w.trends(1, "24h"))
	require.Contains(t, w.get(1, "").posts(), core.ID(401), "the entry is older than that")

	// What is older than the hot set is as the list of the week has it, until something is heard of it.
	sensitive := core.LabelIDs([]string{"sensitive"})[0]
	list := func(labels ...core.ID) {
		w.lists.Store(&map[string]published.List{published.Week: {Posts: []hot.Ranked{{
			Post:   hot.Post{ID: 500, Author: 5, Created: w.clock.Now().Add(-5 * 24 * time.Hour).UnixMicro()},
			Labels: core.LabelsOf(labels...),
		}}}})
		w.start()
		w.load()
		require.Eventually(t, func() bool { return len(w.trends(2, "7d")) == 1-len(labels) },
			10*time.Second, time.Millisecond)
	}
	list(sensitive)
	list()
	w.post(500, 5, 5*24*time.Hour)
	w.label(500, "sensitive")
	require.Empty(t, w.trends(2, "7d"))

	w.away.clickhouse.closed.Store(true)
	w.flush()
	check(301)
	w.away.redis.closed.Store(true)
	w.lists.Store(nil)
	w.start()
	require.Contains(t, w.get(1, "").posts(), core.ID(201))
	posts := w.get(9, "").posts() // follows nobody: the latest of all
	require.Contains(t, posts, core.ID(300))
	require.NotContains(t, posts, core.ID(301))
}
