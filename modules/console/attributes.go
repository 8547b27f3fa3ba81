package console

import "github.com/feedrank/feedrank/modules/platform/weave"

// What templates ask of values besides their fields.
var (
	_ weave.Attributes = job{}
	_ weave.Attributes = run{}
	_ weave.Attributes = breaker{}
	_ weave.Attributes = breakersOf{}
	_ weave.Attributes = letterTask{}
	_ weave.Attributes = hits{}
	_ weave.Attributes = sorting{}
)

// Attribute implements weave.Attributes.
func (j job) Attribute(name string) any { return offered(name, "Last", j.Last) }

// Attribute implements weave.Attributes.
func (r run) Attribute(name string) any {
	if name == "Took" {
		return r.Took
	}
	return offered(name, "Class", r.Class)
}

// Attribute implements weave.Attributes.
func (b breaker) Attribute(name string) any { return offered(name, "Class", b.Class) }

// Attribute implements weave.Attributes.
func (b breakersOf) Attribute(name string) any { return offered(name, "Forced", b.Forced) }

// Attribute implements weave.Attributes.
func (t letterTask) Attribute(name string) any {
	if name == "State" {
		return t.State
	}
	return offered(name, "Class", t.Class)
}

// Attribute implements weave.Attributes.
func (h hits) Attribute(name string) any { return offered(name, "Share", h.Share) }

// Attribute implements weave.Attributes.
func (s sorting) Attribute(name string) any {
	if name == "Link" {
		return s.Link
	}
	return offered(name, "Way", s.Way)
}

// offered is a function by its name; nil for another.
func offered[F any](name, known string, f F) any {
	if name != known {
		return nil
	}
	return f
}
