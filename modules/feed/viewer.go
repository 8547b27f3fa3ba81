package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// loadViewer reads what Redis knows of the user. Without Redis, what this replica remembers is all that is
// known: an entry, if it is so young that hardly anything can have happened that the replica did not hear.
func (f *Feed) loadViewer(ctx context.Context, r *request) {
	var order []byte
	err := f.guards.Redis.Do(ctx, func(ctx context.Context) (err error) {
		if r.Cursor != "" && !r.timeline {
			r.state, order, err = f.store.LoadOrder(ctx, r.User, r.session.Session)
		} else {
			r.state, err = f.store.Load(ctx, r.User)
		}
		return err
	})
	if err != nil {
		f.metrics.redisFailures.WithLabelValues("load").Inc()
		r.reports = append(r.reports, SourceReport{Name: "redis", Err: err})
		r.degraded = true
		r.state = f.local.since(r.User, r.now.Add(-f.cfg.Cache.RefreshOld))
	} else {
		f.giveBack(r, f.local.keep(r.User, r.state, r.now, f.cfg.Store))
	}
	if len(r.state.Entry) > 0 {
		if err := r.entry.Decode(r.state.Entry); err != nil {
			f.metrics.cache.WithLabelValues("malformed").Inc()
		}
	}
	if r.Cursor != "" {
		r.places = f.decodeOrder(r, order)
	}
	f.readSeenHidden(r, r.state)
}

// seenUntil is when what the viewer sees ceases to count: with the beginning of the session. Marks
// count seconds.
func (r *request) seenUntil() time.Time {
	if r.Cursor == "" {
		return r.now.Add(time.Hour)
	}
	return r.session.StartedAt.Truncate(time.Second).Add(time.Second)
}

// readSeenHidden takes over what the viewer saw and hid, by Redis and by what is remembered here.
func (f *Feed) readSeenHidden(r *request, state store.State) {
	local, known := f.local.states.Get(r.User)
	hidden := f.hides.of(r.User)
	r.seenHidden.read(state, f.cfg.Store, r.now, r.seenUntil(), local.Hidden, hidden)
	if known {
		r.seenHidden.collect(local.State, f.cfg.Store, r.now, r.seenUntil())
	}
	if len(hidden) > 0 {
		r.seenHidden.collect(store.State{Hidden: hidden}, f.cfg.Store, r.now, r.seenUntil())
	}
}

// localFallback finds the viewer's last entry that is remembered here, if it is not too old. It knows of what
// the viewer has changed since only what this replica heard.
func (f *Feed) localFallback(r *request) bool {
	var entry reserve.Entry
	state := f.local.since(r.User, r.now.Add(-f.cfg.Cache.StaleFor))
	if entry.Decode(state.Entry) != nil || !entry.HasBody {
		return false
	}
	r.entry = entry
	return true
}
