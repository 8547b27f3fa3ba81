// Package tracing follows one request through all that it makes work.
//
// By its id: WithRequest puts it into the context of the request; Log names it in every line. It is in the problem, in
// the record of what operators do, and in a header of the Kafka records that were sent for it.
//
// By spans, where tracing.endpoint is set: a request (Tracer.Serve) and a batch of the log (Tracer.Consume) begin
// them, Start and Call add one below that of the context. Where there is none they cost a look at the context. Spans
// hold names of ours, the route and the request's id: nothing of what people wrote or are called, no statement's values
// and no error's text. They go to a bounded queue and from there, by a goroutine of its own, to the endpoint; what does
// not fit is dropped and counted.
package tracing
