// Package guards is what stands before the servers that a feed asks, and before the replica's own work: it bounds
// the calls, and stops them while they fail. Breakers and admission implement it.
package guards

import "context"

// Guard bounds the calls of a dependency and stops them while it fails.
type Guard interface {
	Do(ctx context.Context, call func(context.Context) error) error
}

// Guards are those of the dependencies, and of the replica itself.
type Guards struct {
	ClickHouse, Postgres, Redis Guard
	Limiter                     ComputeLimiter
}

// ComputeLimiter says whether the replica has room for what costs more than a cached feed.
type ComputeLimiter interface {
	Compute() error // its error is for the client; Computed must follow if there is none
	Computed()
	Overloaded() bool // what nobody waits for should not begin
}

// Unguarded calls without bounds: what stands in where breakers or admission are switched off.
type Unguarded struct{}

// Do calls.
func (Unguarded) Do(ctx context.Context, call func(context.Context) error) error { return call(ctx) }

// Compute says that there is room.
func (Unguarded) Compute() error { return nil }

// Computed ends what Compute let begin.
func (Unguarded) Computed() {}

// Overloaded says that there is time for everything.
func (Unguarded) Overloaded() bool { return false }
