// Package otlp is a receiver of traces for tests: OTLP over HTTP, in JSON.
package otlp

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Span is what a test reads of a span.
type Span struct {
	TraceID      string
	SpanID       string
	ParentSpanID string
	Name         string
	Kind         int
	Status       struct{ Code int }
	Links        []struct{ TraceID, SpanID string }
	Attributes   []struct {
		Key   string
		Value struct{ StringValue, IntValue string }
	}
}

// Receiver keeps what it is sent.
type Receiver struct {
	URL string

	mu     sync.Mutex
	spans  []Span
	header http.Header // of the last request
	answer int
}

// New starts a receiver.
func New(t testing.TB) *Receiver {
	t.Helper()
	r := &Receiver{answer: http.StatusOK}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			return // the client is gone
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.header = q.Header
		if r.answer == http.StatusOK {
			r.take(t, body)
		}
		w.WriteHeader(r.answer)
	}))
	t.Cleanup(server.Close)
	r.URL = server.URL + "/v1/traces"
	return r
}

func (r *Receiver) take(t testing.TB, body []byte) {
	var request struct {
		ResourceSpans []struct {
			ScopeSpans []struct{ Spans []Span }
		}
	}
	if err := json.Unmarshal(body, &request); err != nil {
		t.Errorf("not OTLP: %v", err)
		return
	}
	for _, resource := range request.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			r.spans = append(r.spans, scope.Spans...)
		}
	}
}

// Answer has requests answered so; what is not 200 is not kept.
func (r *Receiver) Answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = status
}

// Header is that of the last request.
func (r *Receiver) Header() http.Header {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.header
}

// Of are the spans of a trace, or of all (empty).
func (r *Receiver) Of(trace string) (found []Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.spans {
		if trace == "" || s.TraceID == trace {
			found = append(found, s)
		}
	}
	return found
}

// Path are the names from the root of a trace to its first span of a name; nil: there is none.
func (r *Receiver) Path(trace, name string) (path []string) {
	byID := map[string]Span{}
	var at string
	for _, s := range r.Of(trace) {
		byID[s.SpanID] = s
		if s.Name == name && at == "" {
			at = s.SpanID
		}
	}
	for s, ok := byID[at]; ok; s, ok = byID[s.ParentSpanID] {
		path = append([]string{s.Name}, path...)
	}
	return path
}
