package feed

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/feed/metrics"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// resume checks the cursor, or begins a session.
func (f *Feed) resume(r *request) error {
	r.ByTime = r.Order == cursor.Timeline
	narrowing := r.Narrow.hash()
	if !r.Later {
		r.Session = cursor.Cursor{
			Algo: r.Order, Session: rand.Uint64(), StartedAt: r.Now, Ranking: r.Ranking.Version,
			Narrowing: narrowing,
		}
		return nil
	}
	session, err := f.cursors.Decode(r.User, r.Cursor)
	if err != nil {
		return err
	}
	if r.ByTime && session.Algo != cursor.Timeline {
		return core.InvalidField("cursor", "belongs to a session with another algo")
	}
	if session.Narrowing != narrowing {
		return core.InvalidField("cursor", "belongs to a session with other lang or labels: each page names the same")
	}
	r.Session = session
	// Marks count seconds.
	r.seenUntil = session.StartedAt.Truncate(time.Second).Add(time.Second)
	r.Ranking = f.ranking.At(session.Ranking)
	r.ByTime = session.Algo.ByTime() // a ranked session that had to begin as a timeline goes on as one
	return nil
}

// continueAt has the session go on after some more posts, from a place of its order on, with the deferred ones first.
func (r *request) continueAt(given []reserve.Place, place int, deferred []int) {
	next := r.Session
	if next.Tells() {
		next.Served = next.Served.Room(len(given))
		for _, place := range given {
			next.Served = next.Served.Append(next.Session, place.Post)
		}
	}
	next.Shown += len(given)
	next.Place, next.Deferred = place, deferred
	r.Next = &next
}

// orders keep the order of each session of pages for its later pages: in Redis, and a while here, for when Redis is
// away, or has not got it yet.
type orders struct {
	local   *lru.Cache[orderKey, []byte]
	writes  chan orderWrite
	redis   guards.Guard
	store   *store.Store
	metrics *metrics.Metrics
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

func newOrders(sessions int, redis guards.Guard, st *store.Store, m *metrics.Metrics) (*orders, error) {
	local, err := lru.New[orderKey, []byte](sessions)
	return &orders{
		local: local, writes: make(chan orderWrite, maxOrderWrites), redis: redis, store: st,
		metrics: m,
	}, err
}

// keep keeps a session's order here, and soon in Redis.
func (o *orders) keep(user core.ID, session uint64, order []byte) {
	key := orderKey{user, session}
	o.local.Add(key, order)
	select {
	case o.writes <- orderWrite{key, order}:
	default: // Redis is slow: this replica alone can continue the session
		o.metrics.Orders.WithLabelValues("dropped").Inc()
	}
}

// decode takes the order from what Redis has, or from here; nil: it is lost. Its memory is that of places.
func (o *orders) decode(places []reserve.Place, user core.ID, session uint64, order []byte) []reserve.Place {
	found, err := reserve.DecodeOrder(places[:0], session, order)
	if err == nil {
		return found
	}
	if local, ok := o.local.Get(orderKey{user, session}); ok {
		if found, err = reserve.DecodeOrder(places[:0], session, local); err == nil {
			return found
		}
	}
	return nil
}

// write writes what is kept to Redis.
func (o *orders) write(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case w := <-o.writes:
			err := o.redis.Do(ctx,
				func(ctx context.Context) error { return o.store.SaveOrder(ctx, w.user, w.session, w.order) })
			if err != nil && !errors.Is(err, context.Canceled) {
				o.metrics.RedisFailures.WithLabelValues("order").Inc()
			}
		}
	}
}

// placesOf are posts of the list as an order has them. It is valid until it is called again.
func (r *request) placesOf(chosen []int32) []reserve.Place {
	r.ordered = r.ordered[:0]
	for _, at := range chosen {
		r.ordered = append(r.ordered, reserve.Place{Post: r.list.Posts[at].ID, Source: r.list.Posts[at].Source})
	}
	return r.ordered
}
