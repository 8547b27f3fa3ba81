package harness

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// The client's sweeper sleeps on for a minute when the client is given up, and then ends.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"))
}

// nothing is an environment without servers, on which only this process is looked at.
func nothing(t *testing.T) *Environment {
	t.Helper()
	return NewEnvironment(Bench{}, Target{Out: io.Discard, World: World{Users: 10}})
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// A generator that waits for answers would never have so many requests under way, and would not see
// how long those take that it did not send.
func TestAnOpenLoadDoesNotWaitForAnswers(t *testing.T) {
	const stalled = 200
	var waiting atomic.Int32
	all200 := make(chan struct{})
	addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if waiting.Add(1) == stalled {
			close(all200)
		}
		select {
		case <-all200:
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusOK)
	})
	p, err := nothing(t).Load(t.Context(), Load{
		Name: "stalled", At: addr, Rate: 2000, For: 150 * time.Millisecond,
		Request: func(int) Request { return Request{Path: "/"} },
	})
	require.NoError(t, err)
	require.Empty(t, p.Errors)
	require.EqualValues(t, 300, p.Requests)
	require.EqualValues(t, 300, p.Latency[All].Count)
	require.EqualValues(t, 300, p.Late.Count)
}

func TestFailuresAreCountedByKindAndAnswersByLabel(t *testing.T) {
	var n atomic.Int64
	addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) % 4 {
		case 0:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 1:
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		default:
			_, _ = io.WriteString(w, `{"items":[],"served_from":"`+r.URL.Path[1:]+`","degraded":false}`)
		}
	})
	p, err := nothing(t).Load(t.Context(), Load{
		Name: "mixed", At: addr, Rate: 2000, For: 200 * time.Millisecond, Label: ServedFrom,
		Request: func(int) Request { return Request{Kind: "feed", Path: "/stale", Token: "t"} },
	})
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"status 503": 100, "connection": 100}, p.Errors)
	require.Equal(t, map[string]int64{"stale": 200}, p.Labels)
	require.EqualValues(t, 200, p.Latency["feed"].Count)
	require.EqualValues(t, 400, p.Requests)
	require.InDelta(t, 0.0, p.Share("cache"), 0)

	p, err = nothing(t).Load(t.Context(), Load{
		Name: "nobody", At: "127.0.0.1:1", Rate: 1000, For: 10 * time.Millisecond,
		Request: func(int) Request { return Request{Path: "/"} },
	})
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"refused": 10}, p.Errors)
}

func TestAClosedLoadKeepsItsConnectionsBusyUntilItsTime(t *testing.T) {
	var mu sync.Mutex
	paths := map[string]int{}
	addr := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		paths[r.URL.Path]++
	})
	on := nothing(t)
	p, err := on.Load(t.Context(), Load{
		Name: "closed", At: addr, Connections: 4, For: 100 * time.Millisecond,
		Request: InTurn([]Request{{Path: "/a"}, {Path: "/b"}}),
	})
	require.NoError(t, err)
	require.Empty(t, p.Errors)
	require.EqualValues(t, p.Requests, paths["/a"]+paths["/b"])
	require.InDelta(t, paths["/a"], paths["/b"], 1)
	require.Contains(t, p.Usage, generatorName)
	require.NotZero(t, p.Usage[generatorName].MemoryBytes)
	require.Len(t, on.report.Phases, 1)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = on.Load(ctx, Load{
		Name: "cancelled", At: addr, Rate: 1, For: time.Hour,
		Request: InTurn([]Request{{Path: "/a"}}),
	})
	require.ErrorIs(t, err, context.Canceled)
}

func TestWhatTheProcessesOfATreeUseIsAddedUp(t *testing.T) {
	p := process{name: "self", pid: func() int { return 1 }}
	require.Contains(t, p.pids(), 1)
	began := generator().cpu()
	for sum := 0; generator().cpu() == began; sum++ { // until a tick of the clock was used
	}
	require.Positive(t, generator().cpu())
	require.Zero(t, process{pid: func() int { return 0 }}.cpu(), "it does not run")
}

func TestAFigureIsHeldAgainstItsAim(t *testing.T) {
	on := nothing(t)
	for _, c := range []struct {
		figure  *Figure
		verdict string
	}{
		{on.Figure("a", "ms", 150, 5, 5), "met"},
		{on.Figure("a", "ms", 150, 5, 6), "missed"},
		{on.Figure("a", "ms", 150, None, 6), "met"},
		{on.FigureAtLeast("a", "%", None, 50, 49), "missed"},
		{on.FigureAtLeast("a", "%", None, 50, 50), "met"},
		{on.Figure("a", "", None, None, 50), ""},
	} {
		require.Equal(t, c.verdict, c.figure.Verdict())
	}
	on.report.Bench = "b"
	var text strings.Builder
	require.NoError(t, on.report.Print(&text))
	require.Contains(t, text.String(), "≤ 150")
	require.Contains(t, text.String(), "missed")
}
