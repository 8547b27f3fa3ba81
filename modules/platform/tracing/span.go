package tracing

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Span is a piece of work. That of what is not traced does nothing.
type Span struct{ span trace.Span }

// On tells whether what ctx works for is traced. What a request began may outlive its span.
func On(ctx context.Context) bool { return trace.SpanContextFromContext(ctx).IsSampled() }

// Start begins a span below that of ctx, if there is one.
func Start(ctx context.Context, name string) (context.Context, Span) {
	return start(ctx, name, trace.SpanKindInternal)
}

// Call is Start for what a server is asked.
func Call(ctx context.Context, server, what string) (context.Context, Span) {
	if !On(ctx) {
		return ctx, Span{}
	}
	ctx, s := start(ctx, server+" "+what, trace.SpanKindClient)
	s.span.SetAttributes(attribute.String("db.system.name", server))
	return ctx, s
}

func start(ctx context.Context, name string, kind trace.SpanKind) (context.Context, Span) {
	if !On(ctx) {
		return ctx, Span{}
	}
	ctx, span := trace.SpanFromContext(ctx).TracerProvider().Tracer(scope).Start(ctx, name, trace.WithSpanKind(kind))
	return ctx, Span{span}
}

// End ends the span. Of an error it says that there was one: its text may name people, and is in the log.
func (s Span) End(err error) {
	if s.span == nil {
		return
	}
	if err != nil {
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}

// EndAnswered ends the span of a request.
func (s Span) EndAnswered(status int) {
	if s.span == nil {
		return
	}
	s.span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= 500 {
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}

// Observe adds to a histogram. Of what is traced it leaves the trace as an exemplar.
func Observe(ctx context.Context, histogram prometheus.Observer, seconds float64) {
	if of := trace.SpanContextFromContext(ctx); of.IsSampled() {
		if h, ok := histogram.(prometheus.ExemplarObserver); ok {
			h.ObserveWithExemplar(seconds, prometheus.Labels{"trace_id": of.TraceID().String()})
			return
		}
	}
	histogram.Observe(seconds)
}
