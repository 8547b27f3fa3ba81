package breaker_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/breaker"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("down")

func fail(context.Context) error    { return errDown }
func succeed(context.Context) error { return nil }

func newSet(t *testing.T, change func(*breaker.Policy)) (*breaker.Set, *prometheus.Registry) {
	t.Helper()
	cfg := breaker.DefaultConfig()
	cfg.ClickHouse = breaker.Policy{
		Timeout: 20 * time.Millisecond, SlowAfter: time.Second, MinConcurrent: 4, MaxConcurrent: 4,
		FailureRate: 50, Calls: 4, OpenFor: time.Hour,
	}
	if change != nil {
		change(&cfg.ClickHouse)
	}
	reg := prometheus.NewRegistry()
	return breaker.NewSet(cfg, core.SystemClock{}, reg, zap.NewNop()), reg
}

func trip(t *testing.T, b *breaker.Breaker) {
	t.Helper()
	for range 2 {
		require.ErrorIs(t, b.Do(context.Background(), fail), errDown)
	}
	require.True(t, b.Open())
}

func TestItOpensOnceHalfOfTheCallsFail(t *testing.T) {
	set, reg := newSet(t, nil)
	b := set.ClickHouse
	for _, call := range []func(context.Context) error{succeed, fail, succeed} {
		_ = b.Do(context.Background(), call)
		require.False(t, b.Open())
	}
	require.ErrorIs(t, b.Do(context.Background(), fail), errDown)
	require.True(t, b.Open())
	require.ErrorIs(t, b.Do(context.Background(), succeed), breaker.ErrOpen)
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP feedrank_breaker_state State of a dependency's breaker: 0 closed, 1 half-open, 2 open.
# TYPE feedrank_breaker_state gauge
feedrank_breaker_state{dependency="clickhouse"} 2
feedrank_breaker_state{dependency="discovery"} 0
feedrank_breaker_state{dependency="kafka"} 0
feedrank_breaker_state{dependency="postgres"} 0
feedrank_breaker_state{dependency="redis"} 0
`), "feedrank_breaker_state"))
}

func TestAStallThatAllCallsFeelAtOnceDoesNotOpenIt(t *testing.T) {
	set, _ := newSet(t, func(p *breaker.Policy) { p.CountFor = time.Hour })
	for range 100 {
		require.ErrorIs(t, set.ClickHouse.Do(context.Background(), fail), errDown)
	}
	require.False(t, set.ClickHouse.Open(), "one of them counts")
}

func TestFailuresThatLastOpenItHoweverFastCallsCome(t *testing.T) {
	set, _ := newSet(t, func(p *breaker.Policy) { p.CountFor = 4 * time.Millisecond })
	wait.Until(t, func() bool {
		_ = set.ClickHouse.Do(context.Background(), fail)
		return set.ClickHouse.Open()
	})
}

func TestASlowCallCountsAsFailedThoughItsAnswerIsUsed(t *testing.T) {
	set, _ := newSet(t, func(p *breaker.Policy) { p.SlowAfter = time.Nanosecond })
	for range 2 {
		require.NoError(t, set.ClickHouse.Do(context.Background(), succeed))
	}
	require.True(t, set.ClickHouse.Open())
}

func TestACallThatHangsEndsAtItsDeadline(t *testing.T) {
	set, _ := newSet(t, nil)
	err := set.ClickHouse.Do(context.Background(), func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestACallerWhoWentAwayIsNoFailure(t *testing.T) {
	set, _ := newSet(t, nil)
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	for range 10 {
		require.Error(t, set.ClickHouse.Do(gone, func(ctx context.Context) error { return ctx.Err() }))
	}
	require.False(t, set.ClickHouse.Open())
}

func TestOneProbeAtATimeDecidesWhetherItCloses(t *testing.T) {
	set, _ := newSet(t, func(p *breaker.Policy) { p.OpenFor, p.Timeout = time.Millisecond, time.Minute })
	b := set.ClickHouse
	trip(t, b)
	wait.Until(t, func() bool { return !b.Open() })
	require.ErrorIs(t, b.Do(context.Background(), fail), errDown, "the probe fails")
	require.Equal(t, "open", b.Status().State)
	wait.Until(t, func() bool { return !b.Open() })

	probing, answer := make(chan struct{}), make(chan struct{})
	var probe sync.WaitGroup
	probe.Go(func() {
		_ = b.Do(context.Background(), func(context.Context) error {
			close(probing)
			<-answer
			return nil
		})
	})
	<-probing
	require.ErrorIs(t, b.Do(context.Background(), succeed), breaker.ErrOpen, "while the probe runs")
	close(answer)
	probe.Wait()
	require.NoError(t, b.Do(context.Background(), succeed))
	require.Equal(t, "closed", b.Status().State)
}

func TestMoreCallsAtOnceThanAllowedAreRefused(t *testing.T) {
	set, _ := newSet(t, func(p *breaker.Policy) { p.MinConcurrent, p.MaxConcurrent, p.Timeout = 1, 1, time.Minute })
	b := set.ClickHouse
	err := b.Do(context.Background(), func(context.Context) error { return b.Do(context.Background(), succeed) })
	require.ErrorIs(t, err, breaker.ErrFull)
	require.NoError(t, b.Do(context.Background(), succeed))
}

func TestAPanicInACallCountsAndGivesItsPlaceBack(t *testing.T) {
	set, _ := newSet(t, func(p *breaker.Policy) { p.MinConcurrent, p.MaxConcurrent = 1, 1 })
	require.Panics(t, func() {
		_ = set.ClickHouse.Do(context.Background(),
			func(context.Context) error { panic("bug") })
	})
	require.NoError(t, set.ClickHouse.Do(context.Background(), succeed))
}

func TestAnOperatorForcesAndResetsIt(t *testing.T) {
	set, _ := newSet(t, nil)
	e := echo.New()
	for _, r := range breaker.NewAPI(set, zap.NewNop()).Routes() {
		e.Add(r.Method, r.Path, r.Handler)
	}
	call := func(method, path, body string) (*httptest.ResponseRecorder, error) {
		rec := httptest.NewRecorder()
		c := e.NewContext(httptest.NewRequest(method, path, strings.NewReader(body)), rec)
		e.Router().Find(method, strings.SplitN(path, "?", 2)[0], c)
		return rec, c.Handler()(c)
	}
	rec, err := call(http.MethodPut, "/admin/v1/breaker/clickhouse", `{"mode":"open"}`)
	require.NoError(t, err)
	require.Contains(t, rec.Body.String(), `"mode":"open"`)
	require.ErrorIs(t, set.ClickHouse.Do(context.Background(), succeed), breaker.ErrOpen)

	_, err = call(http.MethodPut, "/admin/v1/breaker/clickhouse", `{"mode":"closed"}`)
	require.NoError(t, err)
	for range 10 {
		require.ErrorIs(t, set.ClickHouse.Do(context.Background(), fail), errDown)
	}

	_, err = call(http.MethodPut, "/admin/v1/breaker/clickhouse", `{"mode":"auto"}`)
	require.NoError(t, err)
	trip(t, set.ClickHouse)
	_, err = call(http.MethodPost, "/admin/v1/breaker/clickhouse/reset", "")
	require.NoError(t, err)
	require.NoError(t, set.ClickHouse.Do(context.Background(), succeed))

	for path, code := range map[string]core.Code{"oracle": core.CodeNotFound, "clickhouse": core.CodeInvalidRequest} {
		_, err = call(http.MethodPut, "/admin/v1/breaker/"+path, `{"mode":"ajar"}`)
		require.Equal(t, code, core.CodeOf(err))
	}
	_, err = call(http.MethodPut, "/admin/v1/breaker/clickhouse", `{`)
	require.Equal(t, core.CodeMalformedJSON, core.CodeOf(err))
	rec, err = call(http.MethodGet, "/admin/v1/breaker", "")
	require.NoError(t, err)
	require.Contains(t, rec.Body.String(), `"dependency":"postgres"`)
	_, err = call(http.MethodGet, "/admin/v1/breaker?x=1", "")
	require.Equal(t, core.CodeInvalidRequest, core.CodeOf(err))
}

func TestACallBeyondTheLimitWaitsForAPlaceAndSoManyWaitAtMost(t *testing.T) {
	set, _ := newSet(t, func(p *breaker.Policy) {
		p.MinConcurrent, p.MaxConcurrent, p.MaxWait, p.Timeout = 1, 1, time.Minute, time.Minute
	})
	b := set.ClickHouse
	leave, results := make(chan struct{}), make(chan error, 5)
	var calls sync.WaitGroup
	for range 5 { // one is under way, and four wait
		calls.Go(func() {
			results <- b.Do(context.Background(), func(context.Context) error { <-leave; return nil })
		})
	}
	wait.Until(t, func() bool { return b.Status().InFlight == 1 && b.Status().Waiting == 4 })
	require.ErrorIs(t, b.Do(context.Background(), succeed), breaker.ErrFull)
	close(leave)
	calls.Wait()
	close(results)
	for err := range results {
		require.NoError(t, err)
	}
}
