package console

import (
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/wait"
)

var regexpLetter = regexp.MustCompile(`<a class="mono" href="[^"]*">([^<]+)</a>`)

func TestWhyABlockedAuthorsPostIsMissing(t *testing.T) {
	w := newWorld(t)
	b := w.operator("ana", false)
	post := w.postOf(5)
	b.until("/console/why-not?user=1&post="+post, "sees post "+post+" at place")
	w.exec(`INSERT INTO blocks (blocker_id, blocked_id) VALUES (1, 5)`)
	b.until("/console/why-not?user=1&post="+post, "does not see post "+post+" because they block its author.")
	require.Contains(t, b.page, "blocked")
	require.Contains(t, b.open("/console/why-not?user=1&post=x"), "This cannot be answered")
	require.Contains(t, b.open("/console/why-not"), "Enter a user and a post")
}

func TestDeadLettersAreReplayedAndDiscarded(t *testing.T) {
	w := newWorld(t)
	b := w.operator("ana", false)
	require.Contains(t, b.open("/console/dead-letters"), "Nothing waits here")
	w.spoil("no event", "nor this", "nor that")
	count := func(query string) int {
		b.open("/console/dead-letters?queue=events&" + query)
		return len(regexpLetter.FindAllString(b.page, -1))
	}
	wait.Until(t, func() bool { return count("") == 3 }, "what is no event is listed")
	id := html.UnescapeString(regexpLetter.FindStringSubmatch(b.page)[1])

	b.submit("/console/dead-letters", url.Values{"queue": {"events"}, "do": {"replay"}, "id": {id}, "back": {"/console/dead-letters?queue=events"}})
	require.Contains(t, b.page, "Replay 1 letter?")
	require.Equal(t, 3, count(""), "nothing is done before it is confirmed")
	b.submit("/console/dead-letters", url.Values{"queue": {"events"}, "do": {"replay"}, "id": {id}, "back": {"/console/dead-letters?queue=events"}})
	b.confirm("/console/dead-letters")
	require.Contains(t, b.page, "1 letter replayed")
	require.Equal(t, 1, count("state=replayed"))
	wait.Until(t, func() bool { return count("") == 3 }, "it is no event still, and comes back as another letter")

	b.submit("/console/dead-letters", url.Values{"queue": {"events"}, "do": {"discard-all"}, "back": {"/console/dead-letters?queue=events"}})
	require.Contains(t, b.page, "Discard 3 letters?")
	b.confirm("/console/dead-letters")
	require.Contains(t, b.page, "Discard of the queue events")
	b.until(strings.TrimPrefix(b.url, w.base), "3 of 3 letters discarded")
	require.Zero(t, count(""))
	require.Equal(t, 3, count("state=discarded"))

	b.open("/console/actions")
	require.Contains(t, b.page, "dead_letters.replay")
	require.Contains(t, b.page, "dead_letters.discard")
	b.open("/console/dead-letters")
	b.submit("/console/dead-letters", url.Values{"queue": {"events"}, "do": {"replay"}, "back": {"https://evil.example/"}})
	require.Equal(t, "/console", b.header.Get("Location"))
	b.follow()
}

func TestARankingIsTriedSavedAndRolledBack(t *testing.T) {
	w := newWorld(t)
	b := w.operator("ana", false)
	b.until("/console/why-not?user=1&post="+w.postOf(5), "at place")
	b.open("/console/ranking")
	require.Contains(t, b.page, `name="weights.freshness" value="0.3"`)
	require.Contains(t, b.page, "0 to 100")
	change := url.Values{"do": {"try"}, "version": {"0"}, "weights.freshness": {"0.9"}, "users": {"1"}}
	b.submit("/console/ranking", change)
	require.Contains(t, b.page, "of a page stays")
	require.Contains(t, b.page, `name="weights.freshness" value="0.9"`, "the form keeps what was entered")
	change.Set("do", "save")
	b.submit("/console/ranking", change)
	require.Contains(t, b.page, "A reason is missing")
	change.Set("note", "fresher")
	b.submit("/console/ranking", change)
	require.Contains(t, b.page, "weights.freshness: 0.3 → 0.9")
	b.confirm("/console/ranking")
	require.Contains(t, b.page, "Version 1 is in force.")
	require.Contains(t, b.page, "fresher")

	for field, wrong := range map[string]string{"weights.freshness": "much", "diversity.gap": "-1"} {
		b.submit("/console/ranking", url.Values{"do": {"try"}, "version": {"1"}, field: {wrong}})
		require.Contains(t, b.page, `class="problem"`, wrong)
		require.Contains(t, b.page, field)
	}
	b.open("/console/ranking")
	b.submit("/console/ranking", url.Values{"do": {"rollback"}, "version": {"1"}, "to": {"0"}})
	b.confirm("/console/ranking")
	require.Contains(t, b.page, "Version 2 is in force")
	require.Contains(t, b.page, `name="weights.freshness" value="0.3"`)
	require.Contains(t, b.open("/console/actions?what=ranking.change"), "ana")
	b.open("/console/actions")
	require.Less(t, strings.Index(b.page, "ranking.rollback</a>"), strings.Index(b.page, "ranking.change</a>"))
	b.open("/console/actions?order=oldest")
	require.Less(t, strings.Index(b.page, "ranking.change</a>"), strings.Index(b.page, "ranking.rollback</a>"))
}

func TestADryRunTellsWhatOfYesterdayItWouldHave(t *testing.T) {
	w := newWorld(t)
	b := w.operator("ana", false)
	post := w.postOf(6)
	b.until("/console/why-not?user=1&post="+post, "at place")
	try := url.Values{"do": {"try"}, "version": {"0"}, "weights.freshness": {"0.9"}, "users": {"1"}}
	b.open("/console/ranking")
	b.submit("/console/ranking", try)
	require.Contains(t, b.page, "engaged with nothing in the last day")
	w.acts(t, 1, "like", post)
	wait.Until(t, func() bool {
		b.open("/console/ranking")
		b.submit("/console/ranking", try)
		return strings.Contains(b.page, "of the 1 post that these users liked")
	}, "a like is counted")
	require.Contains(t, b.page, "1 would be on their first pages with the ranking in force and 1 with this one")
	require.Contains(t, b.page, "100 % → 100 %")
	w.acts(t, 1, "unlike", post)
	wait.Until(t, func() bool {
		b.open("/console/ranking")
		b.submit("/console/ranking", try)
		return strings.Contains(b.page, "engaged with nothing in the last day")
	}, "and one that is taken back is not")
}

func TestTrendingSaysWhoIsBehindItAndWhatIsLeftOut(t *testing.T) {
	w := newWorld(t)
	b := w.operator("ana", false)
	popular, lonely := w.postOf(6), w.postOf(7)
	b.until("/console/why-not?user=1&post="+popular, "at place")
	for user := core.ID(11); user <= 14; user++ {
		w.acts(t, user, "like", popular)
	}
	w.acts(t, 11, "like", lonely)
	b.until("/console/trending", "4 likes, 0 comments, 0 shares")
	require.Contains(t, b.page, "it takes 3 people")
	b.until("/console/trending", "too few people reacted to it")
	_, left, _ := strings.Cut(b.page, "Left out")
	require.Contains(t, left, "<b>"+lonely+"</b>")
	require.NotContains(t, left, "<b>"+popular+"</b>")
	require.Contains(t, b.open("/console/trending?sort=-people"), `aria-sort="descending"`)
	for _, window := range []string{"1h", "7d"} {
		b.until("/console/trending?window="+window, "4 likes")
	}
}

func TestOperationsShowsAndActs(t *testing.T) {
	w := newWorld(t)
	b := w.operator("ana", false)
	b.until("/console/operations", "trending")
	b.until("/console/operations", ">closed<")
	for _, says := range []string{"clickhouse", "hot set", "Breakers", "closed", "Jobs"} {
		require.Contains(t, b.page, says)
	}
	force := url.Values{"do": {"breaker"}, "name": {"redis"}, "mode": {"open"}}
	b.submit("/console/operations", force)
	require.Contains(t, b.page, "Stop asking redis?")
	b.confirm("/console/operations")
	b.until("/console/operations", "forced open")
	b.submit("/console/operations", url.Values{"do": {"breaker"}, "name": {"redis"}, "mode": {"auto"}})
	b.confirm("/console/operations")
	wait.Until(t, func() bool { return !strings.Contains(b.open("/console/operations"), "forced open") }, "released")
	b.submit("/console/operations", url.Values{"do": {"job"}, "name": {"trending"}})
	b.confirm("/console/operations")
	require.Contains(t, b.page, "Job trending was asked for")
	b.submit("/console/operations", url.Values{"do": {"job"}, "name": {"none"}})
	b.submit("/console/operations", url.Values{"do": {"job"}, "name": {"../breaker/redis/reset"}, "confirmed": {"yes"}, "mark": {"x"}})
	require.Contains(t, b.page, "It was not done")
}

func TestThePipelineShowsEveryHopAndTurnsRed(t *testing.T) {
	w := newWorld(t)
	b := w.operator("ana", false)
	b.until("/console/why-not?user=1&post="+w.postOf(5), "at place")
	b.until("/console/pipeline", "rates of the last")
	for _, hop := range []string{
		"PostgreSQL → Kafka", "Apps → Kafka", "Kafka → ClickHouse, changes", "Kafka → ClickHouse, events",
		"ClickHouse → Hot set", "Hot set → Cache", "Cache → Feed",
	} {
		require.Contains(t, b.page, hop)
	}
	require.NotContains(t, b.page, "not here", "this process has every role")
	require.Contains(t, b.page, `data-live="1000"`)
	require.Contains(t, b.open("/console/runbook?entry=EventsLate"), "events are applied more than 10 s late")
	require.Contains(t, b.open("/console/runbook"), "FeedErrors")
}

// A hop reads metrics by their names, and names an entry of the runbook: both must be there.
func TestWhatThePipelineNamesExists(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "modules", "console", "pipeline", "way.go"))
	require.NoError(t, err)
	measured := metrics(t)
	for _, name := range regexp.MustCompile(`"(feedrank_\w+)"`).FindAllStringSubmatch(string(text), -1) {
		if strings.HasSuffix(name[1], "_") {
			continue // what both consumers have, by its beginning
		}
		require.Contains(t, measured, name[1])
	}
	for _, prefix := range []string{"feedrank_cdc_", "feedrank_events_"} {
		for _, name := range regexp.MustCompile(`prefix ?\+ ?"(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			require.Contains(t, measured, prefix+name[1])
		}
	}
	book, err := os.ReadFile(filepath.Join("..", "..", "..", "config", "prometheus", "runbook.md"))
	require.NoError(t, err)
	for _, name := range regexp.MustCompile(`Runbook(?: = |: )"(\w+)"`).FindAllStringSubmatch(string(text), -1) {
		require.Contains(t, string(book), "\n## "+name[1]+"\n")
	}
}

func TestAProcessThatOnlyHasTheConsoleSaysWhatIsElsewhere(t *testing.T) {
	w := newWorld(t)
	cfg := w.cfg
	cfg.Roles = []string{"console"}
	program, err := app.Start(t.Context(), cfg, zap.NewNop())
	require.NoError(t, err)
	defer func() { require.NoError(t, program.Stop()) }()
	w.base = "http://" + program.AdminAddr()
	b := w.operator("ana", false)
	require.Contains(t, b.open("/console/feed?user=1"), "This process does not run that part.")
	require.Contains(t, b.open("/console/pipeline"), "This process does not have the role api")
	require.Contains(t, b.open("/console/dead-letters"), "Nothing waits here")
	b.open("/console/actions")
	require.Equal(t, http.StatusOK, b.status)
}
