package demo

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

// quick shortens what the tour waits for, so that a fault shows soon.
func quick(out *bytes.Buffer) Options {
	return Options{
		Once: true, Trials: 3, Out: out, Figures: []Figure{{"seed_ms", "12"}},
		patience: patience{
			settle: 3 * time.Second, still: 20 * time.Millisecond, show: time.Second,
			outage: 10 * time.Second, recovery: time.Second, without: 10,
		},
	}
}

func TestATourOfASystemThatWorksHoldsAndEndsWithOneLineOfFigures(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, Run(t.Context(), quick(&out), toyDeps(t, nil)))
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	figures := string(lines[len(lines)-1])
	require.Regexp(t, regexp.MustCompile(`^held=true seed_ms=12 settle_ms=\d+ event_visible_p50_ms=\d+ `), figures)
	for _, name := range []string{
		"event_visible_p95_ms", "event_visible_trials=3", "commit_feed_p95_ms", "delete_visible_ms", "block_visible_ms",
		"outage_first_answer_ms", "outage_failed=0", "outage_wrong=0", "recovery_ms",
	} {
		require.Contains(t, figures, name)
	}
	require.NotContains(t, out.String(), "\x1b[", "no colours where there is no terminal")
	require.Contains(t, out.String(), "postgres 1", "it says where feeds came from meanwhile")
}

func TestPostsThatLeaveThePageWhenTheyAreSeenGiveWayToOthers(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, Run(t.Context(), quick(&out), toyDeps(t, func(s *toy) { s.sinks = 161 }))) // each author's latest
	require.Contains(t, out.String(), "held=true")
}

func TestTheTourNoticesWhatDoesNotHoldAndNamesTheStep(t *testing.T) {
	for name, c := range map[string]struct {
		fault func(*toy)
		step  string
		says  string
	}{
		"no page at all": {func(s *toy) { s.empty = true }, "wait for the first feed", "did not show"},
		"own posts": {
			func(s *toy) { s.own = true }, "step 1",
			"is the viewer's own|is of another author",
		},
		"blocked authors":            {func(s *toy) { s.blocked = true }, "step 4", "blocks|did not show"},
		"deleted posts":              {func(s *toy) { s.deleted = true }, "step 1", "is deleted"},
		"a post twice":               {func(s *toy) { s.twice = true }, "step 1", "repeats a post"},
		"terms that do not add up":   {func(s *toy) { s.wrongSum = true }, "step 1", "do not add up"},
		"likes that are not counted": {func(s *toy) { s.forgetsLikes = true }, "step 2", "did not show"},
		"failures in an outage":      {func(s *toy) { s.failsWhenDown = true }, "step 5", "answers 503 unavailable"},
		"likes lost in an outage": {
			func(s *toy) { s.losesWhenDown = true }, "step 5",
			"a like that came while ClickHouse was away",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := Run(t.Context(), quick(&out), toyDeps(t, c.fault))
			require.ErrorContains(t, err, c.step)
			require.Regexp(t, c.says, err.Error())
		})
	}
}

func TestWithoutOnceTheTourGoesOnUntilItIsEndedWithLifeAroundItsCast(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	deps := toyDeps(t, nil)
	var mu sync.Mutex
	var except []core.ID
	alive := make(chan struct{})
	deps.Life = func(ctx context.Context, aside []core.ID) error {
		mu.Lock()
		except = aside
		mu.Unlock()
		close(alive)
		<-ctx.Done()
		return nil
	}
	out := &watched{word: []byte("Ctrl-C"), found: make(chan struct{})}
	opts := quick(nil)
	opts.Once, opts.Out = false, out
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, opts, deps) }()
	select {
	case <-out.found:
	case err := <-ended:
		t.Fatal(err)
	}
	<-alive
	cancel()
	require.NoError(t, <-ended)
	mu.Lock()
	defer mu.Unlock()
	require.Greater(t, len(except), 2)
	require.Equal(t, core.ID(1), except[0], "the viewer, who liked most")
	require.Contains(t, out.String(), "curl -sH")
}

// watched is an output that tells when a word was written.
type watched struct {
	mu    sync.Mutex
	text  bytes.Buffer
	word  []byte
	found chan struct{}
	once  sync.Once
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if bytes.Contains(b, w.word) {
		w.once.Do(func() { close(w.found) })
	}
	return w.text.Write(b)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func TestEveryStepNamesCodeThatIsThere(t *testing.T) {
	for _, s := range steps() {
		_, err := os.Stat(filepath.Join("..", "..", "..", filepath.FromSlash(s.code)))
		require.NoError(t, err, s.name)
	}
}

func TestAnEmptyDatabaseIsToldToBeSeeded(t *testing.T) {
	deps := toyDeps(t, nil)
	_, err := deps.Postgres.Exec(t.Context(), "TRUNCATE users CASCADE")
	require.NoError(t, err)
	require.ErrorContains(t, Run(t.Context(), quick(&bytes.Buffer{}), deps), "seed it first")
}

func TestPercentilesAreTheNearestRank(t *testing.T) {
	var l latencies
	for i := 100; i > 0; i-- {
		l = append(l, time.Duration(i)*time.Millisecond)
	}
	require.Equal(t, 50*time.Millisecond, l.percentile(50))
	require.Equal(t, 95*time.Millisecond, l.percentile(95))
	require.Equal(t, 100*time.Millisecond, l.percentile(100))
	require.Equal(t, 7*time.Millisecond, latencies{7 * time.Millisecond}.percentile(50))
	require.Zero(t, latencies(nil).percentile(95))
}

func TestTrialsMeasureFromTheirBeginningAndEndWithAnError(t *testing.T) {
	begun, looked := 0, 0
	times, err := trials(t.Context(), time.Second, 5, 2, func(context.Context, int) error {
		begun++
		return nil
	}, func(context.Context) (func(int) bool, error) {
		looked++
		return func(int) bool { return true }, nil
	})
	require.NoError(t, err)
	require.Len(t, times, 5)
	require.Equal(t, 5, begun)

	broken := errors.New("broken")
	_, err = trials(t.Context(), time.Second, 1, 1, func(context.Context, int) error { return broken },
		func(context.Context) (func(int) bool, error) {
			return func(int) bool { return false }, nil
		})
	require.ErrorIs(t, err, broken)
	_, err = until(t.Context(), time.Second, time.Millisecond,
		func(context.Context) (bool, error) { return false, broken })
	require.ErrorIs(t, err, broken)
	_, err = until(t.Context(), 20*time.Millisecond, time.Millisecond,
		func(context.Context) (bool, error) { return false, nil })
	require.ErrorIs(t, err, errNotVisible)
}
