package breaker_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/feedrank/feedrank/modules/breaker"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/wait"
)

// errBroken is what a call says whose connection was closed under it.
var errBroken = fmt.Errorf("read: %w", io.ErrUnexpectedEOF)

// retrying is the breaker of a server that is asked again. It does not open: only retries are counted.
func retrying() (*breaker.Breaker, *prometheus.Registry) {
	cfg := breaker.DefaultConfig()
	cfg.Postgres.FailureRate, cfg.Postgres.Calls = 100, 100_000
	reg := prometheus.NewRegistry()
	return breaker.NewSet(cfg, core.SystemClock{}, reg, zap.NewNop()).Postgres, reg
}

func TestACallWhoseConnectionWasBrokenIsMadeOnceMore(t *testing.T) {
	b, _ := retrying()
	for name, attempt := range map[string]struct {
		first, want error
		calls       int
	}{
		"broken":      {errBroken, nil, 2},
		"only failed": {errDown, errDown, 1}, // the server answered, and would again
	} {
		calls := 0
		err := b.Do(context.Background(), func(context.Context) error {
			if calls++; calls == 1 {
				return attempt.first
			}
			return nil
		})
		require.ErrorIs(t, err, attempt.want, name)
		require.Equal(t, attempt.calls, calls, name)
	}
	calls := 0
	require.ErrorIs(t, b.Do(context.Background(), func(context.Context) error { calls++; return errBroken }), errBroken)
	require.Equal(t, 2, calls, "no more than the policy's retries")

	gone, cancel := context.WithCancel(context.Background())
	calls = 0
	require.ErrorIs(t, b.Do(gone, func(context.Context) error { calls++; cancel(); return errBroken }), errBroken)
	require.Equal(t, 1, calls, "nobody waits for it any more")
}

func TestNothingElseIsRepeatedByDefault(t *testing.T) {
	set, _ := newSet(t, func(p *breaker.Policy) { p.Calls = 100 })
	for _, b := range []*breaker.Breaker{set.ClickHouse, set.Discovery, set.Redis, set.Kafka} {
		calls := 0
		require.ErrorIs(t, b.Do(context.Background(), func(context.Context) error { calls++; return errBroken }),
			errBroken)
		require.Equal(t, 1, calls)
	}
}

func TestRetriesAreAShareOfTheCalls(t *testing.T) {
	b, reg := retrying()
	calls := 0
	const asked = 1000
	for range asked {
		_ = b.Do(context.Background(), func(context.Context) error { calls++; return errBroken })
	}
	// Ten in a hundred, and ten for when there is little traffic; the first call finds these all there.
	const made = asked/10 + 10 - 1
	require.Equal(t, made, calls-asked)
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(fmt.Sprintf(`
# HELP feedrank_breaker_retries_total Calls whose connection was broken: repeated, or not because the budget of retries was used up.
# TYPE feedrank_breaker_retries_total counter
feedrank_breaker_retries_total{dependency="postgres",outcome="made"} %d
feedrank_breaker_retries_total{dependency="postgres",outcome="refused"} %d
`, made, asked-made)), "feedrank_breaker_retries_total"))
}

func TestEachChangeIsCountedAndLoggedWithItsReason(t *testing.T) {
	cfg := breaker.DefaultConfig()
	cfg.ClickHouse.Calls, cfg.ClickHouse.CountFor, cfg.ClickHouse.OpenFor = 4, 0, time.Millisecond
	observed, lines := observer.New(zap.WarnLevel)
	reg := prometheus.NewRegistry()
	b := breaker.NewSet(cfg, core.SystemClock{}, reg, zap.New(observed)).ClickHouse
	require.ErrorIs(t, b.Do(context.Background(), fail), errDown)
	require.ErrorIs(t, b.Do(context.Background(), fail), errDown)
	wait.Until(t, func() bool { return !b.Open() })
	require.ErrorIs(t, b.Do(context.Background(), fail), errDown)
	wait.Until(t, func() bool { return !b.Open() })
	require.NoError(t, b.Do(context.Background(), succeed))

	var said []string
	for _, line := range lines.FilterMessage("breaker changed").All() {
		fields := line.ContextMap()
		require.Equal(t, "clickhouse", fields["dependency"])
		said = append(said, fmt.Sprintf("%s to %s: %s", fields["from"], fields["to"], fields["reason"]))
	}
	require.Equal(t, []string{
		"closed to open: 2 of the last 2 calls failed or were slow, the last: down",
		"open to half-open: it was open for long enough: one call is let through",
		"half-open to open: the probe failed: down",
		"open to half-open: it was open for long enough: one call is let through",
		"half-open to closed: the probe succeeded",
	}, said)
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP feedrank_breaker_transitions_total Changes of a breaker's state, by the state it came to and why: failures, delay, probe or operator.
# TYPE feedrank_breaker_transitions_total counter
feedrank_breaker_transitions_total{dependency="clickhouse",reason="delay",to="half-open"} 2
feedrank_breaker_transitions_total{dependency="clickhouse",reason="failures",to="open"} 1
feedrank_breaker_transitions_total{dependency="clickhouse",reason="probe",to="closed"} 1
feedrank_breaker_transitions_total{dependency="clickhouse",reason="probe",to="open"} 1
`), "feedrank_breaker_transitions_total"))
}
