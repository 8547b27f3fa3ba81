package tracing

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
)

type requestKey struct{}

// WithRequest returns a context that works for a request, by its id.
func WithRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID is the id of the request that ctx works for; empty: it works for none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// Follow is ctx, working for what of works for: for what is begun by a request and outlives it.
func Follow(ctx, of context.Context) context.Context {
	if id := RequestID(of); id != "" {
		ctx = WithRequest(ctx, id)
	}
	if On(of) {
		ctx = trace.ContextWithSpan(ctx, trace.SpanFromContext(of))
	}
	return ctx
}

// Log is a log whose lines name the request, and the trace if there is one, that ctx works for.
func Log(ctx context.Context, log *zap.Logger) *zap.Logger {
	var fields []zap.Field
	if id := RequestID(ctx); id != "" {
		fields = append(fields, zap.String("request_id", id))
	}
	if of := trace.SpanContextFromContext(ctx); of.IsSampled() {
		fields = append(fields, zap.String("trace_id", of.TraceID().String()))
	}
	return log.With(fields...)
}

// RequestHeader is the header of a Kafka record that was sent for a request.
const RequestHeader = "feedrank-request-id"

// Headers are those of a Kafka record that is sent for what ctx works for.
func Headers(ctx context.Context) map[string]string {
	headers := map[string]string{}
	if id := RequestID(ctx); id != "" {
		headers[RequestHeader] = id
	}
	if On(ctx) {
		propagation.TraceContext{}.Inject(ctx, propagation.MapCarrier(headers))
		delete(headers, "tracestate")
	}
	return headers
}

// maxRequestID bounds what a client may have us repeat in headers, logs and records.
const maxRequestID = 64

// ValidRequestID tells whether an id of a client's is taken over: letters and digits of ASCII, and what UUIDs, ULIDs
// and the ids of load balancers have between them. Others, such as an e-mail address, would be in every log line.
func ValidRequestID(id string) bool {
	for _, r := range id {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !letter && !strings.ContainsRune("-_.:=/+", r) {
			return false
		}
	}
	return id != "" && len(id) <= maxRequestID
}
