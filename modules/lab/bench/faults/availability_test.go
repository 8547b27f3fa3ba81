package faults

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

func TestMain(m *testing.M) {
	// The client's sweeper sleeps on for a minute when the client is given up, and then ends.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"))
}

// nothing is an environment without servers.
func nothing() *harness.Environment {
	return harness.NewEnvironment(harness.Bench{}, harness.Target{Out: io.Discard, World: harness.World{Users: 10}})
}

func TestAvailabilityFailsByA5xxAWrongFeedAndWhatARestartLoses(t *testing.T) {
	for name, c := range map[string]struct {
		trial, failure, wrong string
		broken                bool
	}{
		"all well":                    {trial: "redis-killed"},
		"a 5xx":                       {trial: "redis-killed", failure: "status 503 overloaded", broken: true},
		"a wrong feed":                {trial: "redis-killed", wrong: "hidden post", broken: true},
		"a time-out under a fault":    {trial: "redis-killed", failure: "timeout"},
		"a lost request in a restart": {trial: "api-restarted", failure: "connection", broken: true},
		"no replica in a restart":     {trial: "jobs-restarted", failure: "no replica", broken: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := &drill{Environment: nothing()}
			w := newWindow(c.trial)
			w.add(time.Now(), time.Millisecond, "", "cache", "")
			w.add(time.Now(), time.Millisecond, c.failure, "cache", c.wrong)
			d.seen = []*trial{{window: w, events: newWindow(c.trial)}}
			require.NoError(t, d.report())
			require.Equal(t, c.broken, d.Report().Err() != nil, "%v", d.Report().Broken)
		})
	}
}

func TestAFeedIsJudgedByWhatItsViewerMustNotSee(t *testing.T) {
	people := &oracle{
		barred: map[core.ID]map[core.ID]bool{1: {7: true}}, hidden: map[core.ID]map[core.ID]bool{1: {40: true}},
		deleted: map[core.ID]bool{50: true},
	}
	page := func(post, author, from, sources string) []byte {
		return []byte(`{"items":[{"post":"` + post + `","author":"` + author + `","source":"x"}],"served_from":"` +
			from + `","sources":[` + sources + `]}`)
	}
	gone := `{"name":"clickhouse","posts":0,"ok":false},{"name":"postgres","posts":0,"ok":false}`
	for name, c := range map[string]struct {
		body        []byte
		from, wrong string
	}{
		"good":                       {page("30", "8", "cache", ""), "cache", ""},
		"empty":                      {[]byte(`{"items":[],"served_from":"cache"}`), "cache", "empty"},
		"own":                        {page("30", "1", "cache", ""), "cache", "own post"},
		"deleted":                    {page("50", "8", "stale", ""), "stale", "deleted post"},
		"hidden":                     {page("40", "8", "postgres", ""), "postgres", "hidden post"},
		"barred":                     {page("30", "7", "trending", ""), "trending", "barred author"},
		"barred, and nobody knew it": {page("30", "7", "trending", gone), unfiltered, ""},
	} {
		from, wrong := people.judge(1, c.body)
		require.Equal(t, [2]string{c.from, c.wrong}, [2]string{from, wrong}, name)
	}
}

func TestAFeedIsJudgedByTheAudienceOfItsPosts(t *testing.T) {
	const friend, fan, stranger, author = 1, 2, 3, 8
	people := &oracle{society: &society{
		posts: map[core.ID]audience{
			31: {"unlisted", 0}, 32: {"followers", 0}, 33: {"mutuals", 0}, 34: {"members", 3}, 35: {"direct", 0},
		},
		authors: map[core.ID]string{6: "private", 7: "suspended", 9: "deleted"},
		follows: map[[2]core.ID]bool{
			{friend, author}: true, {author, friend}: true, {fan, author}: true, {fan, 6}: true, {fan, 7}: true,
		},
		members: map[[2]core.ID]bool{{stranger, 3}: true},
	}}
	for post, may := range map[core.ID][3]bool{
		30: {true, true, true}, 31: {true, true, false}, 32: {true, true, false}, 33: {true, false, false},
		34: {false, false, true}, 35: {},
	} {
		for i, viewer := range []core.ID{friend, fan, stranger} {
			require.Equal(t, may[i], people.forbids(viewer, post, author) == "", "%d, %d", viewer, post)
		}
	}
	require.Empty(t, people.forbids(fan, 30, 6))
	require.Equal(t, "post of a private account", people.forbids(friend, 30, 6))
	require.Equal(t, "post of a suspended author", people.forbids(fan, 30, 7))
	require.Equal(t, "post of a deleted author", people.forbids(fan, 30, 9))
	require.EqualValues(t, 7, people.shown.Load(), "what is for a few was shown to some of them")

	from, wrong := people.judge(stranger, []byte(
		`{"items":[{"post":"30","author":"8","source":"x"},{"post":"32","author":"8","source":"x"}],"served_from":"stale"}`))
	require.Equal(t, [2]string{"stale", "followers post"}, [2]string{from, wrong})
	for name, c := range map[string]struct {
		wrong string
		shown int64
		says  string
		fails bool
	}{
		"all well":        {shown: 1, says: "shown_to_whom_they_are_for=1 violations=0"},
		"a violation":     {wrong: "followers post", shown: 1, says: "violations=1", fails: true},
		"an empty feed":   {wrong: emptyFeed, shown: 1, says: "violations=0", fails: true},
		"nothing was for": {says: "violations=0", fails: true},
	} {
		d := &drill{Environment: nothing(), truth: &oracle{society: &society{}}}
		d.truth.shown.Store(c.shown)
		w := newWindow("redis-killed")
		w.add(time.Now(), time.Millisecond, "", "cache", c.wrong)
		d.seen = []*trial{{window: w, events: newWindow("redis-killed")}}
		require.NoError(t, d.report())
		require.Contains(t, strings.Join(d.Report().Lines, "\n"), c.says, name)
		require.Equal(t, c.fails, d.Report().Err() != nil, name)
	}
}

func TestWhatIsShedIsNoOtherFailure(t *testing.T) {
	c := &visitors{Environment: nothing()}
	f := &found{seconds: 1, kinds: map[string]*window{
		"cached": newWindow("cached"), "computed": newWindow("computed"),
		"suggestions": newWindow("suggestions"),
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"status":503,"code":"overloaded","detail":"too much is being computed; try again"}`))
	}))
	defer server.Close()
	failure := harness.NewClient(strings.TrimPrefix(server.URL, "http://")).Do(&harness.Request{Path: "/"}, nil)
	f.kinds["cached"].add(time.Now(), time.Millisecond, failure, "", "")
	f.kinds["cached"].add(time.Now(), time.Millisecond, "", "cache", "")
	c.tell("10x", f)
	require.Contains(t, c.Report().Lines[0], "shed=50%")
	require.NotContains(t, c.Report().Lines[0], "failures=")
	f.kinds["computed"].add(time.Now(), time.Millisecond, "timeout", "", "")
	c.tell("10x", f)
	require.Contains(t, c.Report().Lines[1], "failures=")
}
