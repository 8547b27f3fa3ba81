package world

import (
	"encoding/binary"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/seed/graph"
	"github.com/feedrank/feedrank/modules/lab/seed/random"
)

// maxSession bounds the events of one session: as many as one call of the API takes.
const maxSession = 100

// Sessions are all events in the order of time, session by session: one user looks at their feed for
// a while. A session is one slice, which is used again for the next.
//
// ReceivedAt is not set: whoever sends the events knows.
func (w *World) Sessions() iter.Seq[[]core.Event] {
	return func(yield func([]core.Event) bool) {
		if w.opts.Events == 0 {
			return
		}
		s := stream{
			w: w, rng: random.New(w.opts.Seed, "events", 0), liked: make(map[uint64]struct{}),
			events: make([]core.Event, 0, maxSession), now: w.opts.Now.UnixMilli(),
		}
		begin := w.start.Add(w.opts.Window / 16) // the first hours have too few posts to look at
		if since := w.opts.Now.Add(-w.opts.Recent); w.opts.Recent > 0 && since.After(begin) {
			begin = since
		}
		days := newRhythm(begin, w.opts.Now)
		made := 0
		for i := range days.share {
			from := days.start.Add(time.Duration(i) * slot).UnixMilli()
			length := min(slot.Milliseconds(), s.now-from)
			upTo := days.upTo(i, w.opts.Events)
			for empty := 0; made < upTo && empty < 100; {
				s.session(from+s.rng.Int64N(length), min(maxSession, upTo-made))
				if len(s.events) == 0 { // somebody who finds nothing
					empty++
					continue
				}
				made += len(s.events)
				if !yield(s.events) {
					return
				}
			}
		}
	}
}

// Reactions are the rows of likes and comments that the app keeps of the same events. Nobody likes a
// post twice.
func (w *World) Reactions() iter.Seq2[core.Action, Reaction] {
	return func(yield func(core.Action, Reaction) bool) {
		rng := random.New(w.opts.Seed, "remarks", 0)
		for session := range w.Sessions() {
			for _, e := range session {
				r := Reaction{UserID: e.UserID, PostID: e.PostID, CreatedAt: e.OccurredAt}
				switch e.Action {
				case core.ActionLike:
				case core.ActionComment:
					r.Body = Remark(rng)
				default:
					continue
				}
				if !yield(e.Action, r) {
					return
				}
			}
		}
	}
}

// stream makes sessions one after the other.
type stream struct {
	w      *World
	rng    *rand.Rand
	now    int64
	liked  map[uint64]struct{} // user and post; those of posts that still can be seen
	swept  int64               // when liked was last cleared of others
	events []core.Event
	seen   []uint32 // the posts of this session
}

// session makes the events of one user from a moment on.
func (s *stream) session(at int64, most int) {
	s.events, s.seen = s.events[:0], s.seen[:0]
	viewer := s.w.viewers.Draw(s.rng)
	for range 3 + random.Geometric(s.rng, 12, 60) {
		post, favourite, ok := s.choose(viewer, at)
		if !ok {
			continue
		}
		s.seen = append(s.seen, post)
		at = s.look(viewer, post, favourite, at)
		if len(s.events) >= most {
			s.events = s.events[:most]
			break
		}
	}
	s.forget(at)
}

// look makes the events of one post on the screen and returns when the next one is looked at.
func (s *stream) look(viewer, post uint32, favourite bool, at int64) int64 {
	like := s.w.quality(post)
	if favourite {
		like *= 2
	}
	s.add(core.ActionImpression, viewer, post, &at, 1000)
	if !favourite && s.rng.Float64() < 0.003 {
		s.add(core.ActionHide, viewer, post, &at, 1000)
		return at
	}
	if s.rng.Float64() > 0.35*like {
		return at
	}
	s.add(core.ActionView, viewer, post, &at, 2000)
	s.add(core.ActionDwell, viewer, post, &at, 1000)
	if s.rng.Float64() < 0.2*like {
		s.add(core.ActionClick, viewer, post, &at, 4000)
	}
	if pair := uint64(viewer)<<32 | uint64(post); s.rng.Float64() < 0.2*like {
		if _, already := s.liked[pair]; !already {
			s.liked[pair] = struct{}{}
			s.add(core.ActionLike, viewer, post, &at, 4000)
		}
	}
	if s.rng.Float64() < 0.04*like {
		s.add(core.ActionComment, viewer, post, &at, 20_000)
	}
	if s.rng.Float64() < 0.02*like {
		s.add(core.ActionShare, viewer, post, &at, 5000)
	}
	return at
}

// add appends an event and moves the time on.
func (s *stream) add(action core.Action, viewer, post uint32, at *int64, pause int64) {
	s.events = append(s.events, core.Event{
		ID: EventID(s.rng), UserID: userID(viewer), PostID: postID(post), AuthorID: userID(s.w.posts.author[post]),
		Action: action, OccurredAt: time.UnixMilli(min(*at, s.now)).UTC(), Device: device(viewer), AppVersion: "4.2.0",
	})
	*at += 1 + s.rng.Int64N(pause)
	if action == core.ActionDwell {
		millis := 500 + s.rng.ExpFloat64()*4000
		s.events[len(s.events)-1].DwellMillis = uint32(millis)
		*at += int64(millis)
	}
}

// forget drops likes of posts that are too old to be seen again, once an hour.
func (s *stream) forget(at int64) {
	if at-s.swept < time.Hour.Milliseconds() {
		return
	}
	s.swept = at
	for pair := range s.liked {
		// the low half is the post
		if at-s.w.posts.at[uint32(pair)] > (maxPostAge + 2*slot + time.Hour).Milliseconds() {
			delete(s.liked, pair)
		}
	}
}

// EventID is a random UUID (version 4, RFC 9562).
func EventID(rng *rand.Rand) core.EventID {
	var id core.EventID
	binary.BigEndian.PutUint64(id[:8], rng.Uint64())
	binary.BigEndian.PutUint64(id[8:], rng.Uint64())
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

func device(viewer uint32) string {
	return [...]string{"ios", "android", "android", "web"}[random.Mix(uint64(viewer))%4]
}

func (w *World) bars(viewer, author uint32) bool {
	if viewer == author {
		return true
	}
	_, barred := w.barred[graph.Edge{From: viewer, To: author}]
	return barred
}
