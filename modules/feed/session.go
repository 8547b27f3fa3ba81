package feed

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// resume checks the cursor, or begins a session.
func (f *Feed) resume(r *request) error {
	r.timeline = r.Algo == cursor.Timeline
	if r.Cursor == "" {
		r.session = cursor.Cursor{
			Algo: r.Algo, Session: rand.Uint64(), StartedAt: r.now, Ranking: r.ranking.Version, //nolint:gosec // names a session, keeps no secret
		}
		return nil
	}
	session, err := f.cursors.Decode(r.User, r.Cursor)
	if err != nil {
		return err
	}
	if r.timeline && session.Algo != cursor.Timeline {
		return core.InvalidField("cursor", "belongs to a session with another algo")
	}
	r.session = session
	r.ranking = f.ranking.At(session.Ranking)
	r.timeline = session.Algo.ByTime() // a ranked session that had to begin as a timeline goes on as one
	return nil
}

// continueAt has the session go on after some more posts, from a place of its order on, with the deferred ones first.
func (f *Feed) continueAt(r *request, given []reserve.Place, place int, deferred []int) {
	next := r.session
	if next.Tells() {
		for _, place := range given {
			next.Served = next.Served.Append(next.Session, place.Post)
		}
	}
	next.Shown += len(given)
	next.Place, next.Deferred = place, deferred
	r.next = &next
}

// placesOf is valid until it is called again.
func (r *request) placesOf(order []int32) []reserve.Place {
	w := r.work
	w.places = w.places[:0]
	for _, at := range order {
		w.places = append(w.places, reserve.Place{Post: w.posts[at].post, Source: w.posts[at].source})
	}
	return w.places
}

// decodeOrder takes the order from Redis, or from this replica's own memory.
func (f *Feed) decodeOrder(r *request, order []byte) []reserve.Place {
	if r.timeline {
		return nil
	}
	places, err := reserve.DecodeOrder(r.places[:0], r.session.Session, order)
	if err == nil {
		return places
	}
	if local, ok := f.orders.Get(orderKey{r.User, r.session.Session}); ok {
		if places, err = reserve.DecodeOrder(r.places[:0], r.session.Session, local); err == nil {
			return places
		}
	}
	return nil
}

// orderKey names a session of pages.
type orderKey struct {
	user    core.ID
	session uint64
}

type orderWrite struct {
	orderKey
	order []byte
}

const (
	maxOrderWrites = 1024
	orderWriters   = 4
)

// keepOrder keeps a session's order here, and soon in Redis.
func (f *Feed) keepOrder(user core.ID, session uint64, order []byte) {
	key := orderKey{user, session}
	f.orders.Add(key, order)
	select {
	case f.writes <- orderWrite{key, order}:
	default: // Redis is slow: this replica alone can continue the session
		f.metrics.orders.WithLabelValues("dropped").Inc()
	}
}

func (f *Feed) writeOrders(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case w := <-f.writes:
			err := f.guards.Redis.Do(ctx,
				func(ctx context.Context) error { return f.store.SaveOrder(ctx, w.user, w.session, w.order) })
			if err != nil && !errors.Is(err, context.Canceled) {
				f.metrics.redisFailures.WithLabelValues("order").Inc()
			}
		}
	}
}
