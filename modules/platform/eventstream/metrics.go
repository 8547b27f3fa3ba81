package eventstream

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	events, heartbeats prometheus.Counter
	ended, refused     *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, open func() float64) *metrics {
	sent := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "feedrank_http_stream_sent_total", Help: "What was sent on event streams: event, heartbeat.",
	}, []string{"what"})
	m := &metrics{
		events: sent.WithLabelValues("event"), heartbeats: sent.WithLabelValues("heartbeat"),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_http_streams_ended_total",
			Help: "Event streams that ended: client (it hung up), slow (it read nothing), token_expired, max_age, draining, cancelled (it did not begin).",
		}, []string{"reason"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_http_streams_refused_total",
			Help: "Event streams that were refused by a limit: all, user.",
		}, []string{"limit"}),
	}
	reg.MustRegister(sent, m.ended, m.refused, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "feedrank_http_streams", Help: "Open event streams.",
	}, open))
	for _, reason := range []string{gone, slow, expired, old, draining, cancelled} {
		m.ended.WithLabelValues(reason)
	}
	for _, limit := range []string{"all", "user"} {
		m.refused.WithLabelValues(limit)
	}
	return m
}
