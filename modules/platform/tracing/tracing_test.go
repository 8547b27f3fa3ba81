package tracing_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/feedrank/feedrank/modules/platform/tracing"
	"github.com/feedrank/feedrank/test/otlp"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	theirTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	theirSpan   = "00f067aa0ba902b7"
	theirParent = "00-" + theirTrace + "-" + theirSpan + "-01"
	notSampled  = "00-" + theirTrace + "-" + theirSpan + "-00"
)

// started is a tracer that sends to a receiver, as a test changes the settings.
func started(t *testing.T, to *otlp.Receiver, change func(*tracing.Config)) (*tracing.Tracer, *prometheus.Registry) {
	t.Helper()
	cfg := tracing.DefaultConfig()
	cfg.Endpoint, cfg.Sample, cfg.Every, cfg.Callers = to.URL, 1, 10*time.Millisecond, true
	change(&cfg)
	reg := prometheus.NewRegistry()
	tracer := tracing.New(cfg, reg, zap.NewNop())
	require.NoError(t, tracer.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, tracer.Stop(context.Background())) })
	return tracer, reg
}

func asConfigured(*tracing.Config) {}

// value is a counter of a registry, all its labels together.
func value(t *testing.T, reg *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func TestARequestIsOneTraceWithItsCallersAboveAndItsCallsBelow(t *testing.T) {
	to := otlp.New(t)
	tracer, reg := started(t, to, func(c *tracing.Config) {
		c.Headers, c.Sample = []string{"Authorization: Bearer x:y"}, 0 // the caller decides
	})
	ctx, request := tracer.Serve(tracing.WithRequest(t.Context(), "r1"), "GET", "/feed", theirParent)
	within, stage := tracing.Start(ctx, "hydrate")
	_, call := tracing.Call(within, "redis", "call")
	call.End(errors.New("eve@example.com is away"))
	stage.End(nil)
	carried := tracing.Headers(within)
	request.EndAnswered(503)

	require.Equal(t, "r1", carried[tracing.RequestHeader])
	_, batch := tracer.Consume(t.Context(), "batch", []string{
		"nonsense", notSampled, carried[tracing.Traceparent], theirParent,
	})
	batch.End(nil)
	wait.Until(t, func() bool { return len(to.Of(theirTrace)) == 4 })
	require.Equal(t, []string{"GET /feed", "hydrate", "redis call"}, to.Path(theirTrace, "redis call"))
	require.Equal(t, []string{"GET /feed", "hydrate", "batch"}, to.Path(theirTrace, "batch"))
	for _, s := range to.Of(theirTrace) {
		switch s.Name {
		case "GET /feed":
			require.Equal(t, theirSpan, s.ParentSpanID)
			require.Equal(t, 2, s.Kind, "a server's")
			require.Equal(t, 2, s.Status.Code, "an error")
		case "redis call":
			require.Equal(t, 3, s.Kind, "a client's")
			text, err := json.Marshal(s)
			require.NoError(t, err)
			require.NotContains(t, string(text), "eve", "what an error says stays in the log")
		case "batch":
			require.Equal(t, 5, s.Kind, "a consumer's")
			require.Len(t, s.Links, 1)
			require.Equal(t, theirSpan, s.Links[0].SpanID)
		}
	}
	require.Equal(t, "Bearer x:y", to.Header().Get("Authorization"))
	wait.Until(t, func() bool { return value(t, reg, "feedrank_tracing_sent_spans_total") == 4 })
}

func TestWhoMayNotDecideStartsNoTrace(t *testing.T) {
	to := otlp.New(t)
	tracer, _ := started(t, to, func(c *tracing.Config) { c.Callers, c.Sample = false, 0 })
	ctx, _ := tracer.Serve(t.Context(), "GET", "/feed", theirParent)
	require.False(t, tracing.On(ctx), "strangers are not believed")
	tracer, _ = started(t, to, asConfigured)
	ctx, _ = tracer.Serve(t.Context(), "GET", "/feed", notSampled)
	require.False(t, tracing.On(ctx), "the caller said no")
	ctx, _ = tracer.Consume(t.Context(), "batch", []string{notSampled, ""})
	require.False(t, tracing.On(ctx))
	ctx, _ = tracer.Serve(t.Context(), "GET", "/feed", "nonsense")
	require.True(t, tracing.On(ctx), "as if there were none")
}

func TestOffNothingIsMadeAndNothingAllocated(t *testing.T) {
	tracer := tracing.New(tracing.DefaultConfig(), prometheus.NewRegistry(), zap.NewNop())
	require.Nil(t, tracer)
	require.NoError(t, tracer.Start(t.Context()))
	ctx := t.Context()
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h"})
	require.Zero(t, testing.AllocsPerRun(100, func() {
		within, request := tracer.Serve(ctx, "GET", "/feed", theirParent)
		within, stage := tracing.Start(within, "hydrate")
		_, call := tracing.Call(within, "redis", "call")
		call.End(nil)
		stage.End(nil)
		tracing.Observe(within, histogram, 1)
		request.EndAnswered(200)
	}))
	require.Empty(t, tracing.Headers(ctx))
	require.NoError(t, tracer.Stop(t.Context()))
}

func TestWhatDoesNotFitIsDroppedAndCounted(t *testing.T) {
	to := otlp.New(t)
	to.Answer(http.StatusServiceUnavailable)
	tracer, reg := started(t, to, func(c *tracing.Config) { c.Queue, c.Every = 10, time.Minute })
	for range 25 {
		_, span := tracer.Serve(t.Context(), "GET", "/feed", "")
		span.EndAnswered(200)
	}
	require.EqualValues(t, 15, value(t, reg, "feedrank_tracing_dropped_spans_total"))
	require.NoError(t, tracer.Stop(t.Context()))
	require.EqualValues(t, 25, value(t, reg, "feedrank_tracing_dropped_spans_total"), "the end is not waited for")
}

func TestWhatIsRefusedIsNotSentAgain(t *testing.T) {
	to := otlp.New(t)
	to.Answer(http.StatusBadRequest)
	tracer, reg := started(t, to, asConfigured)
	_, span := tracer.Serve(t.Context(), "GET", "/feed", "")
	span.EndAnswered(200)
	wait.Until(t, func() bool { return value(t, reg, "feedrank_tracing_dropped_spans_total") == 1 })
	to.Answer(http.StatusOK)
	_, span = tracer.Serve(t.Context(), "GET", "/other", "")
	span.EndAnswered(200)
	wait.Until(t, func() bool { return len(to.Of("")) == 1 })
	require.Equal(t, "GET /other", to.Of("")[0].Name)
}

func TestWhatWaitsIsSentAtTheEnd(t *testing.T) {
	to := otlp.New(t)
	tracer, _ := started(t, to, func(c *tracing.Config) { c.Every = time.Minute })
	for range 600 { // more than one request takes
		_, span := tracer.Serve(t.Context(), "GET", "/feed", "")
		span.EndAnswered(200)
	}
	require.NoError(t, tracer.Stop(t.Context()))
	require.Len(t, to.Of(""), 600)
}

func TestLinesNameTheRequestAndTheTrace(t *testing.T) {
	core, lines := observer.New(zap.InfoLevel)
	log := zap.New(core)
	tracer, _ := started(t, otlp.New(t), asConfigured)
	tracing.Log(t.Context(), log).Info("of none")
	ctx, _ := tracer.Serve(tracing.WithRequest(t.Context(), "r1"), "GET", "/feed", theirParent)
	tracing.Log(tracing.Follow(context.Background(), ctx), log).Info("of one")
	require.Empty(t, lines.All()[0].ContextMap())
	require.Equal(t, map[string]any{"request_id": "r1", "trace_id": theirTrace}, lines.All()[1].ContextMap())
}

func TestMetricsAreNamedWell(t *testing.T) {
	_, reg := started(t, otlp.New(t), asConfigured)
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Empty(t, problems)
}
