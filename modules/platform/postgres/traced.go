package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// statements makes each statement a span of what it is run for.
type statements struct{}

var _ pgx.QueryTracer = statements{}

type spanKey struct{}

// TraceQueryStart implements pgx.QueryTracer.
func (statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if !tracing.On(ctx) {
		return ctx
	}
	ctx, span := tracing.Call(ctx, "postgresql", titleOf(data.SQL))
	return context.WithValue(ctx, spanKey{}, span)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (statements) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	if span, ok := ctx.Value(spanKey{}).(tracing.Span); ok {
		span.End(data.Err)
	}
}

// titleOf names a statement by the comment that it begins with, as those of sql/ do, or by its first word: some are
// written by the program, and may hold values.
func titleOf(statement string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(statement), "\n")
	if comment, ok := strings.CutPrefix(first, "-- "); ok {
		if end := strings.IndexAny(comment, "?.:,"); end > 0 {
			comment = comment[:end]
		}
		return comment
	}
	word, _, _ := strings.Cut(first, " ")
	return word
}
