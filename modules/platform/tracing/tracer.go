package tracing

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
)

// scope names who made a span.
const scope = "feedrank"

// Tracer begins traces: of requests, and of what is read from the log. Nil begins none. All below goes by what the
// context has, and needs no tracer.
type Tracer struct {
	callers  bool
	provider *sdk.TracerProvider
	out      *exporter
}

// New makes a tracer that does not send yet; nil where nothing is traced.
func New(cfg Config, reg prometheus.Registerer, log *zap.Logger) *Tracer {
	out := newExporter(cfg, reg, log)
	if cfg.Endpoint == "" {
		return nil
	}
	return &Tracer{callers: cfg.Callers, out: out, provider: sdk.NewTracerProvider(
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", cfg.Service))),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(cfg.Sample))),
		sdk.WithSpanProcessor(out),
	)}
}

// Start begins to send.
func (t *Tracer) Start(context.Context) error {
	if t != nil {
		t.out.start()
	}
	return nil
}

// Stop sends what waits, as far as ctx allows.
func (t *Tracer) Stop(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.out.stop(ctx)
}

// Serve begins the span of a request, in the trace that its caller names, where callers are believed.
func (t *Tracer) Serve(ctx context.Context, method, route, traceparent string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	if t.callers {
		ctx = trace.ContextWithRemoteSpanContext(ctx, parse(traceparent))
	}
	ctx, span := t.provider.Tracer(scope).Start(ctx, method+" "+route, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route),
			attribute.String("feedrank.request_id", RequestID(ctx))))
	return ctx, Span{span}
}

// Consume begins the span of what is done for records of the log, in the trace of the first that is traced. It names
// the others.
func (t *Tracer) Consume(ctx context.Context, name string, traceparents []string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	var parents []trace.SpanContext
	for _, text := range traceparents {
		if parent := parse(text); parent.IsSampled() {
			parents = append(parents, parent)
		}
	}
	if len(parents) == 0 {
		return ctx, Span{}
	}
	links := make([]trace.Link, 0, len(parents)-1)
	for _, other := range parents[1:] {
		links = append(links, trace.Link{SpanContext: other})
	}
	ctx, span := t.provider.Tracer(scope).Start(trace.ContextWithRemoteSpanContext(ctx, parents[0]), name,
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(links...))
	return ctx, Span{span}
}

// Traceparent is the header by which a trace goes on elsewhere: https://www.w3.org/TR/trace-context/
const Traceparent = "traceparent"

// parse reads a traceparent; one that is none is not valid.
func parse(traceparent string) trace.SpanContext {
	carrier := propagation.MapCarrier{Traceparent: traceparent}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
}
