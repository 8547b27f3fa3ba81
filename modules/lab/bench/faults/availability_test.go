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
