package feed

import (
	"math/rand/v2"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// resume checks the cursor, or begins a session.
func (f *Feed) resume(r *request) error {
	r.ByTime = r.Order == cursor.Timeline
	if !r.Later {
		r.Session = cursor.Cursor{
			Algo: r.Order, Session: rand.Uint64(), StartedAt: r.Now, Ranking: r.Ranking.Version,
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
		for _, place := range given {
			next.Served = next.Served.Append(next.Session, place.Post)
		}
	}
	next.Shown += len(given)
	next.Place, next.Deferred = place, deferred
	r.Next = &next
}
