package candidates

import (
	"context"
	mathrand "math/rand/v2"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// Once builds the viewer's reserve with ClickHouse, or joins who is doing so, and caches it.
func (b *Builder) Once(ctx context.Context, v Viewer) *Flight { return b.once(ctx, v, false) }

// Ahead is Once where nobody waits: it ends with ErrElsewhere where another replica is at it.
func (b *Builder) Ahead(ctx context.Context, v Viewer) *Flight { return b.once(ctx, v, true) }

func (b *Builder) once(ctx context.Context, v Viewer, ahead bool) *Flight {
	ranking := b.ranking.Get()
	return b.singleflight.join(ctx, flightKey{viewer: v.ID, tag: v.Tag, ahead: ahead},
		func(ctx context.Context) (*Built, error) {
			if ahead {
				watch := core.StartStopwatch() // the rest is of what it took, not of a time of day
				defer func() { b.dutyCycle.Begin(watch.Elapsed()) }()
			}
			return b.computeLeased(ctx, v, ahead, func(state store.State) (*Built, error) {
				return b.compute(ctx, v.ID, state, ranking, b.fromClickHouse, false)
			})
		},
		func(ctx context.Context, built *Built) { b.save(ctx, v, built) })
}

// Running is the computation that Once would join, if there is one.
func (b *Builder) Running(v Viewer) *Flight {
	return b.singleflight.find(flightKey{viewer: v.ID, tag: v.Tag})
}

// Forget has the next page of these viewers computed anew, and none told what was computed before. It follows a drop
// of what Redis has of them.
func (b *Builder) Forget(dropped func(viewer core.ID) bool) { b.singleflight.forget(dropped) }

// Busy tells whether so many reserves are being computed for those who are here that none should be
// computed for those who may come.
func (b *Builder) Busy() bool { return b.UnderWay() >= b.cfg.MaxRefresh }

// UnderWay is how many reserves are being computed, or written to Redis.
func (b *Builder) UnderWay() int { return b.singleflight.under() }

// restFactor follows a computation for which nobody waited, before the next of them that can wait: where many
// viewers come back, there is always a reserve that is due, and computing them all would leave ClickHouse no time
// for those who wait.
const restFactor = 4

// Refresh builds a reserve in the background, unless enough of them are under way. expired says that it cannot wait
// for the rest that follows each of them.
func (b *Builder) Refresh(ctx context.Context, v Viewer, expired bool) {
	if !expired && b.dutyCycle.Left() > 0 || b.Busy() || b.guards.Limiter.Overloaded() {
		b.metrics.RefreshesSkipped.Inc()
		return
	}
	b.Ahead(ctx, v)
}

// FromPostgres builds a reserve with the graph from the app's own database, for this answer alone.
func (b *Builder) FromPostgres(ctx context.Context, id core.ID, state store.State, ranking *rank.Versioned) (*Built,
	error,
) {
	return b.compute(ctx, id, state, ranking, b.fromPostgres, false)
}

// TryOut builds a reserve with ClickHouse by any ranking, for no answer: it is not cached. It tells what it was cut
// from.
func (b *Builder) TryOut(ctx context.Context, id core.ID, state store.State, ranking *rank.Versioned) (*Built, error) {
	return b.compute(ctx, id, state, ranking, b.fromClickHouse, true)
}

// save caches what was built for a viewer, over the entry that they had.
func (b *Builder) save(ctx context.Context, v Viewer, built *Built) {
	ttl := b.jittered(b.cfg.TTL)
	if built.Partial() {
		ttl = b.cfg.PartialTTL
	}
	switch {
	case built.Found.Unsure: // a cached reserve would show what was hidden
		b.freeLease(ctx, v.ID, built.lease)
		return
	case built.Cached:
		return
	case built.lease == "": // Redis is away, or another replica saves its own
		b.keep(v.ID, built, ttl)
		return
	}
	b.remember(ctx, &built.Found) // before the entry: who finds it takes what Redis says for all there is
	saved := false
	err := b.guards.Redis.Do(ctx, func(ctx context.Context) (err error) {
		saved, err = b.store.Save(ctx, v.ID, built.lease, v.Tag, b.clock.Now().Add(ttl), built.Reserve)
		if err == nil && saved {
			err = b.store.KeepNames(ctx, v.ID, b.namesOf(ctx, v.ID, built.Reserve))
		}
		return err
	})
	switch {
	case err != nil:
		b.metrics.RedisFailures.WithLabelValues("save").Inc()
		b.keep(v.ID, built, ttl)
	case !saved:
		b.metrics.Saves.WithLabelValues("overtaken").Inc()
	default:
		b.metrics.Saves.WithLabelValues("saved").Inc()
	}
}

// keep remembers here what could not be written to Redis.
func (b *Builder) keep(id core.ID, built *Built, ttl time.Duration) {
	now := b.clock.Now()
	entry := reserve.AppendEntry(make([]byte, 0, 6<<10), mathrand.Uint64(), now.Add(ttl), built.Reserve)
	b.memory.KeepComputed(id, entry, &built.Found, now)
}

func (b *Builder) jittered(d time.Duration) time.Duration {
	spread := int64(d) * int64(b.cfg.Jitter) / 100
	return d - time.Duration(spread) + time.Duration(mathrand.Int64N(2*spread+1))
}
