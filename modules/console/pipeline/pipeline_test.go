package pipeline

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// ticking is a clock that a test moves.
type ticking struct{ at time.Time }

func (c *ticking) Now() time.Time { return c.at }

type flow struct {
	*Sampler
	t                *testing.T
	clock            *ticking
	records, letters prometheus.Counter
	lag              prometheus.Gauge
	seconds          prometheus.Histogram
}

// newFlow measures as the events consumer does.
func newFlow(t *testing.T) *flow {
	reg, clock := prometheus.NewRegistry(), &ticking{time.Unix(1_800_000_000, 0)}
	f := &flow{
		t: t, clock: clock, Sampler: NewSampler(reg, clock),
		records: prometheus.NewCounter(prometheus.CounterOpts{Name: "feedrank_events_records_total"}),
		letters: prometheus.NewCounter(prometheus.CounterOpts{Name: "feedrank_events_dead_letters_total"}),
		lag:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "feedrank_events_lag_seconds"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "feedrank_events_produce_to_applied_seconds", Buckets: []float64{0.1, 1, 10},
		}),
	}
	reg.MustRegister(f.records, f.letters, f.lag, f.seconds,
		prometheus.NewHistogram(prometheus.HistogramOpts{Name: "feedrank_events_insert_seconds"}))
	return f
}

var allWell = map[string]string{"postgres": "ok", "kafka": "ok", "clickhouse": "ok", "redis": "ok", "hot set": "ok"}

func (f *flow) events(checks map[string]string) Hop {
	f.t.Helper()
	status, err := f.Now(checks)
	require.NoError(f.t, err)
	for _, h := range status.Hops {
		if h.ID == "events" {
			return h
		}
	}
	require.Fail(f.t, "no such hop")
	return Hop{}
}

func (h Hop) figure(name string) string {
	for _, f := range h.Figures {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func TestARateIsOfTheLastSeconds(t *testing.T) {
	f := newFlow(t)
	f.records.Add(1000)
	require.Equal(t, "0 /s", f.events(allWell).figure("records"), "nobody looked before")
	for range 30 {
		f.clock.at = f.clock.at.Add(time.Second)
		f.records.Add(5)
		f.events(allWell)
	}
	require.Equal(t, "5.0 /s", f.events(allWell).figure("records"))
	for range 30 {
		f.clock.at = f.clock.at.Add(time.Second)
		f.events(allWell)
	}
	require.Equal(t, "0 /s", f.events(allWell).figure("records"))
	f.records.Add(600)
	f.clock.at = f.clock.at.Add(time.Hour)
	require.Equal(t, "0 /s", f.events(allWell).figure("records"), "what was an hour ago says nothing of now")
}

func TestAQuantileIsOfWhatCameSince(t *testing.T) {
	f := newFlow(t)
	for range 100 {
		f.seconds.Observe(5)
	}
	require.Equal(t, "≤ 10.0 s", f.events(allWell).figure("sent to applied, P95"))
	f.clock.at = f.clock.at.Add(time.Second)
	for range 100 {
		f.seconds.Observe(0.05)
	}
	require.Equal(t, "≤ 100 ms", f.events(allWell).figure("sent to applied, P95"))
}

func TestAHopThatIsNotWellNamesItsCause(t *testing.T) {
	f := newFlow(t)
	require.Equal(t, Well, f.events(allWell).State)
	f.clock.at = f.clock.at.Add(time.Second)
	f.letters.Add(2)
	f.lag.Set(20)
	late := f.events(allWell)
	require.Equal(t, Late, late.State)
	require.Contains(t, late.Cause, "20.0 s old")
	require.Contains(t, late.Cause, "2 records could not be applied")
	away := f.events(map[string]string{"postgres": "ok", "kafka": "ok", "clickhouse": "connection refused"})
	require.Equal(t, Failed, away.State)
	require.Regexp(t, "^ClickHouse does not answer: connection refused; ", away.Cause, "the worst first")
	status, err := f.Now(allWell)
	require.NoError(t, err)
	require.Equal(t, Late, status.Worst())
	require.Equal(t, Absent, status.Hops[0].State)
	require.Contains(t, status.Hops[0].Cause, "cdc-source")
}

func TestMetricsAreReadAtMostTwiceASecondWhoeverLooks(t *testing.T) {
	f := newFlow(t)
	for range 100 {
		f.clock.at = f.clock.at.Add(10 * time.Millisecond)
		f.events(allWell)
	}
	require.LessOrEqual(t, len(f.samples), 3)
}

func TestFiguresAreWrittenForPeople(t *testing.T) {
	for want, got := range map[string]string{
		"0 /s": Rate(0), "1.2 /min": Rate(0.02), "3.5 /s": Rate(3.5), "120 /s": Rate(120), "15k /s": Rate(15000),
		"never": Seconds(-1), "0 ms": Seconds(0), "250 ms": Seconds(0.25), "12.0 s": Seconds(12), "5 min": Seconds(300),
		"1.5 MB": bytes(1.5 * (1 << 20)), "2.0M": count(2e6),
	} {
		require.Equal(t, want, got)
	}
}
