package tracing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

// exporter sends spans. Whoever ends a span never waits for it: what the queue has no room for is dropped.
type exporter struct {
	cfg     Config
	client  *http.Client
	log     *zap.Logger
	workers *worker.Group
	queue   chan sdk.ReadOnlySpan
	sent    prometheus.Counter
	dropped *prometheus.CounterVec
	failing bool // said in the log
}

var _ sdk.SpanProcessor = (*exporter)(nil)

// atOnce bounds the spans of a request.
const atOnce = 512

// Why spans are dropped.
const (
	droppedFull    = "queue_full"
	droppedRefused = "refused"
	droppedStopped = "stopped"
)

func newExporter(cfg Config, reg prometheus.Registerer, log *zap.Logger) *exporter {
	e := &exporter{
		cfg: cfg, log: log.Named("tracing"), queue: make(chan sdk.ReadOnlySpan, cfg.Queue),
		client:  &http.Client{Timeout: cfg.Timeout, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment}},
		workers: worker.NewGroup(nil),
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_tracing_sent_spans_total", Help: "Spans that tracing.endpoint took.",
		}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_tracing_dropped_spans_total",
			Help: "Spans that nobody gets: the queue was full (tracing.endpoint is slow or away), it refused them, or " +
				"the process stopped before.",
		}, []string{"reason"}),
	}
	reg.MustRegister(e.sent, e.dropped)
	for _, reason := range []string{droppedFull, droppedRefused, droppedStopped} {
		e.dropped.WithLabelValues(reason)
	}
	return e
}

// OnStart implements sdk.SpanProcessor.
func (e *exporter) OnStart(context.Context, sdk.ReadWriteSpan) {}

// OnEnd implements sdk.SpanProcessor.
func (e *exporter) OnEnd(s sdk.ReadOnlySpan) {
	select {
	case e.queue <- s:
	default:
		e.dropped.WithLabelValues(droppedFull).Inc()
	}
}

// Shutdown implements sdk.SpanProcessor. Stop does that.
func (e *exporter) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdk.SpanProcessor.
func (e *exporter) ForceFlush(context.Context) error { return nil }

func (e *exporter) start() { e.workers.Go("send traces", e.run) }

// stop ends the worker and sends once what waits.
func (e *exporter) stop(ctx context.Context) error {
	err := e.workers.Stop(ctx)
	ctx, cancel := context.WithTimeout(ctx, e.cfg.Timeout)
	defer cancel()
	for spans := e.take(nil); len(spans) > 0; spans = e.take(nil) {
		if failed := e.send(ctx, spans); failed != nil {
			e.dropped.WithLabelValues(droppedStopped).Add(float64(len(spans) + len(e.queue)))
			e.log.Warn("spans were not sent before the end", zap.Error(failed))
			break
		}
	}
	e.client.CloseIdleConnections()
	return err
}

func (e *exporter) run(ctx context.Context) error {
	for {
		if err := worker.Pause(ctx, e.cfg.Every); err != nil {
			return err
		}
		for spans := e.take(nil); len(spans) > 0; spans = e.take(spans[:0]) {
			if err := e.sendUntilTaken(ctx, spans); err != nil {
				return err
			}
		}
	}
}

// take takes what waits out of the queue, as much as one request may have.
func (e *exporter) take(spans []sdk.ReadOnlySpan) []sdk.ReadOnlySpan {
	for len(spans) < atOnce {
		select {
		case s := <-e.queue:
			spans = append(spans, s)
		default:
			return spans
		}
	}
	return spans
}

// sendUntilTaken tries again while the endpoint is away. Meanwhile the queue fills, and what comes then is dropped.
func (e *exporter) sendUntilTaken(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	pause := worker.Backoff{Least: time.Second, Most: 30 * time.Second}
	for {
		err := e.send(ctx, spans)
		if err == nil {
			e.failing = false
			return nil
		}
		if !e.failing {
			e.failing = true
			e.log.Warn("traces cannot be sent; feedrank_tracing_dropped_spans_total counts what is lost", zap.Error(err))
		}
		if errors.Is(err, errRefused) {
			e.dropped.WithLabelValues(droppedRefused).Add(float64(len(spans)))
			return nil
		}
		if ended := pause.Wait(ctx); ended != nil {
			e.dropped.WithLabelValues(droppedStopped).Add(float64(len(spans)))
			return ended
		}
	}
}

// errRefused is an answer that says not to come again with this: by the protocol, any but those of retryable.
var errRefused = errors.New("refused")

func retryable(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusBadGateway ||
		status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

func (e *exporter) send(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	body, err := encode(e.cfg.Service, spans)
	if err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.cfg.Endpoint, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("tracing.endpoint: %w", err)
	}
	r.Header = e.cfg.header()
	response, err := e.client.Do(r)
	if err != nil {
		return fmt.Errorf("tracing.endpoint: %w", err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection is used again
	_ = response.Body.Close()
	switch status := response.StatusCode; {
	case status < http.StatusMultipleChoices:
		e.sent.Add(float64(len(spans)))
		return nil
	case retryable(status):
		return fmt.Errorf("tracing.endpoint: %s", response.Status)
	default:
		return fmt.Errorf("tracing.endpoint: %w: %s", errRefused, response.Status)
	}
}
