package tracing

import (
	"encoding/json"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// What follows is ExportTraceServiceRequest of opentelemetry-proto 1.x in JSON, as
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding has it: ids in hex, enums as numbers, 64-bit
// numbers as strings. The library that writes it as protobuf brings gRPC, which is 7 MB of the binary.

type otlpRequest struct {
	ResourceSpans []otlpResourceSpans `json:"resourceSpans"`
}

type otlpResourceSpans struct {
	Resource   otlpResource     `json:"resource"`
	ScopeSpans []otlpScopeSpans `json:"scopeSpans"`
}

type otlpResource struct {
	Attributes []otlpAttribute `json:"attributes"`
}

type otlpScopeSpans struct {
	Scope otlpScope  `json:"scope"`
	Spans []otlpSpan `json:"spans"`
}

type otlpScope struct {
	Name string `json:"name"`
}

type otlpSpan struct {
	TraceID    string          `json:"traceId"`
	SpanID     string          `json:"spanId"`
	ParentID   string          `json:"parentSpanId,omitempty"`
	Flags      uint32          `json:"flags"`
	Name       string          `json:"name"`
	Kind       int             `json:"kind"` // as trace.SpanKind numbers them
	Start      string          `json:"startTimeUnixNano"`
	End        string          `json:"endTimeUnixNano"`
	Attributes []otlpAttribute `json:"attributes,omitempty"`
	Links      []otlpLink      `json:"links,omitempty"`
	Status     *otlpStatus     `json:"status,omitempty"`
}

type otlpAttribute struct {
	Key   string    `json:"key"`
	Value otlpValue `json:"value"`
}

type otlpValue struct {
	String *string `json:"stringValue,omitempty"`
	Int    string  `json:"intValue,omitempty"`
}

type otlpLink struct {
	TraceID string `json:"traceId"`
	SpanID  string `json:"spanId"`
}

type otlpStatus struct {
	Code int `json:"code"`
}

// The numbers of the protocol that the library has in another order.
const (
	otlpStatusError  = 2
	otlpHasIsRemote  = 0x100 // of flags: whether the parent is remote is known
	otlpParentRemote = 0x200
)

func encode(service string, spans []sdk.ReadOnlySpan) ([]byte, error) {
	out := make([]otlpSpan, len(spans))
	for i, s := range spans {
		out[i] = otlpSpanOf(s)
	}
	return json.Marshal(otlpRequest{[]otlpResourceSpans{{
		Resource:   otlpResource{attributesOf([]attribute.KeyValue{attribute.String("service.name", service)})},
		ScopeSpans: []otlpScopeSpans{{Scope: otlpScope{scope}, Spans: out}},
	}}})
}

func otlpSpanOf(s sdk.ReadOnlySpan) otlpSpan {
	of, parent := s.SpanContext(), s.Parent()
	out := otlpSpan{
		TraceID: of.TraceID().String(), SpanID: of.SpanID().String(), Name: s.Name(), Kind: int(s.SpanKind()),
		Flags: uint32(of.TraceFlags()) | otlpHasIsRemote,
		Start: strconv.FormatInt(s.StartTime().UnixNano(), 10), End: strconv.FormatInt(s.EndTime().UnixNano(), 10),
		Attributes: attributesOf(s.Attributes()),
	}
	if parent.HasSpanID() {
		out.ParentID = parent.SpanID().String()
	}
	if parent.IsRemote() {
		out.Flags |= otlpParentRemote
	}
	for _, l := range s.Links() {
		out.Links = append(out.Links, otlpLink{l.SpanContext.TraceID().String(), l.SpanContext.SpanID().String()})
	}
	if s.Status().Code == codes.Error {
		out.Status = &otlpStatus{otlpStatusError}
	}
	return out
}

// attributesOf are texts and whole numbers: spans have no others.
func attributesOf(all []attribute.KeyValue) []otlpAttribute {
	out := make([]otlpAttribute, len(all))
	for i, a := range all {
		value := otlpValue{}
		if a.Value.Type() == attribute.INT64 {
			value.Int = strconv.FormatInt(a.Value.AsInt64(), 10)
		} else {
			text := a.Value.String()
			value.String = &text
		}
		out[i] = otlpAttribute{string(a.Key), value}
	}
	return out
}
