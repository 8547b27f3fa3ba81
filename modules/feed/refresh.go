package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// dueForRefresh tells whether an entry that is fresh yet should be computed anew. Posts, their engagement and the
// viewer's graph are those of the moment in every page; what only a computation brings is the affinity
// that the viewer's own actions have made since, and what was beyond the reserve's end.
func (f *Feed) dueForRefresh(r *request) bool {
	return r.now.Sub(r.entry.Reserve.BuiltAt) >= f.cfg.Cache.RefreshOld ||
		r.entry.Reserve.Ranking != f.ranking.Get().Version
}

// computeOnce computes the viewer's reserve, or joins who is doing so, and caches it. ahead says that
// nobody waits for it.
func (f *Feed) computeOnce(r *request, ahead bool) *flight {
	user, state, ranking, tag := r.User, r.state, f.ranking.Get(), r.entry.Tag
	key := f.flightKey(r)
	key.ahead = ahead
	return f.singleflight.join(key,
		func(ctx context.Context) (*computed, error) {
			if ahead {
				defer func(began time.Time) { f.dutyCycle.Begin(time.Since(began)) }(time.Now())
			}
			return f.computeLeased(ctx, user, tag, ahead, state, func(state store.State) (*computed, error) {
				return f.compute(ctx, user, state, ranking, f.fromClickHouse)
			})
		},
		func(ctx context.Context, c *computed) { f.save(ctx, user, tag, c) })
}

// flightKey names the computation that a request may join.
func (f *Feed) flightKey(r *request) flightKey { return flightKey{viewer: r.User, tag: r.entry.Tag} }

// restFactor follows a computation for which nobody waited, before the next of them that can wait: where many
// viewers come back, there is always a reserve that is due, and computing them all would leave ClickHouse no time
// for those who wait.
const restFactor = 4

// refresh computes a reserve in the background, unless enough of them are under way or it is too early.
func (f *Feed) refresh(r *request, early time.Duration) {
	if early > 0 || f.singleflight.under() >= f.cfg.Cache.MaxRefresh || f.guards.Limiter.Overloaded() {
		f.metrics.refreshesSkipped.Inc()
		return
	}
	f.computeOnce(r, true)
}

func (f *Feed) save(ctx context.Context, user core.ID, over reserve.Tag, c *computed) {
	ttl := f.jittered(f.cfg.Cache.TTL)
	if c.partial() {
		ttl = f.cfg.Cache.PartialTTL
	}
	switch {
	case c.found.unsure: // a cached reserve would show what was hidden
		f.freeLease(ctx, user, c.lease)
		return
	case c.cached:
		return
	case c.lease == "": // Redis is away, or another replica saves its own
		f.keepComputed(user, c, ttl)
		return
	}
	f.remember(ctx, c.found) // before the entry: who finds it takes what Redis says for all there is
	saved := false
	err := f.guards.Redis.Do(ctx, func(ctx context.Context) (err error) {
		saved, err = f.store.Save(ctx, user, c.lease, over, f.clock.Now().Add(ttl), c.reserve)
		return err
	})
	switch {
	case err != nil:
		f.metrics.redisFailures.WithLabelValues("save").Inc()
		f.keepComputed(user, c, ttl)
	case !saved:
		f.metrics.saves.WithLabelValues("overtaken").Inc()
	default:
		f.metrics.saves.WithLabelValues("saved").Inc()
	}
}
