package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/stages"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// hydrate is all that is read for a request of its viewer and session.
func (f *Feed) hydrate(ctx context.Context, r *request) error {
	if err := f.resume(r); err != nil { // whose cursor, and does it still hold?
		return err
	}
	f.loadViewer(ctx, r)
	return nil
}

// loadViewer reads what Redis knows of the user. Without Redis, what this replica remembers is all that is
// known: an entry, if it is so young that hardly anything can have happened that the replica did not hear.
func (f *Feed) loadViewer(ctx context.Context, r *request) {
	var order []byte
	err := f.guards.Redis.Do(ctx, func(ctx context.Context) (err error) {
		if r.Later && !r.ByTime {
			r.state, order, err = f.store.LoadOrder(ctx, r.User, r.Session.Session)
		} else {
			r.state, err = f.store.Load(ctx, r.User)
		}
		return err
	})
	if err != nil {
		f.metrics.RedisFailures.WithLabelValues("load").Inc()
		r.Sources = append(r.Sources, stages.Report{Name: "redis", Err: err})
		r.Degraded = true
		r.state = f.memory.Since(r.User, r.Now.Add(-f.cfg.Cache.RefreshOld))
	} else if hidden := f.memory.Keep(r.User, r.state, r.Now); len(hidden) > 0 {
		f.giveBack(r, hidden)
	}
	if len(r.state.Entry) > 0 {
		if err := r.entry.Decode(r.state.Entry); err != nil {
			f.metrics.Cache.WithLabelValues("malformed").Inc()
		}
	}
	switch {
	case r.Later && r.ByTime:
		r.places = nil
	case r.Later:
		r.places = f.orders.decode(r.places, r.User, r.Session.Session, order)
	}
	f.readSeenHidden(r, r.state)
}

// readSeenHidden takes over what the viewer saw and hid.
func (f *Feed) readSeenHidden(r *request, state store.State) {
	f.memory.Read(&r.seenHidden, r.User, state, r.Now, r.seenUntil)
}

// giveBack writes to Redis what this replica remembers that the viewer hid, and Redis has lost: other
// replicas shall know. Not what they saw: how much of that is missing cannot be counted.
func (f *Feed) giveBack(r *request, hidden []byte) {
	user := r.User
	r.state.Hidden = hidden
	f.workers.Go("give marks back", func(ctx context.Context) error {
		if f.guards.Redis.Do(ctx,
			func(ctx context.Context) error { return f.store.GiveBack(ctx, user, hidden) }) != nil {
			f.metrics.RedisFailures.WithLabelValues("restore").Inc() // the next request tries again
		}
		return nil
	})
}

// localFallback finds the viewer's last entry that is remembered here, if it is not too old. It knows of what
// the viewer has changed since only what this replica heard.
func (f *Feed) localFallback(r *request) bool {
	var entry reserve.Entry
	state := f.memory.Since(r.User, r.Now.Add(-f.cfg.Cache.StaleFor))
	if entry.Decode(state.Entry) != nil || !entry.HasBody {
		return false
	}
	r.entry = entry
	return true
}

// hideWithin bounds what an event's answer waits for Redis.
const hideWithin = 100 * time.Millisecond

// Hide keeps posts out of a user's feeds from now on, or no longer: in this replica at once, in others when Redis has
// it. The consumer does it again when it has the events, and pushes their authors down; while ClickHouse is away, that
// is later than anybody would wait.
func (f *Feed) Hide(ctx context.Context, user core.ID, hidden []core.HiddenPost) {
	noted := f.HideHere(user, hidden)
	ctx, cancel := context.WithTimeout(ctx, hideWithin)
	defer cancel()
	err := f.guards.Redis.Do(ctx, func(ctx context.Context) error { return f.store.MarkHidden(ctx, noted) })
	if err != nil {
		f.metrics.RedisFailures.WithLabelValues("hide").Inc() // the consumer's turn
	}
}

// HideHere does so in the feeds that this replica makes, and tells nobody else.
func (f *Feed) HideHere(user core.ID, hidden []core.HiddenPost) []store.Mark {
	return f.memory.Hide(user, hidden)
}
