package suggest

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/core"
)

// Who is deleted is taken out of every list at once: a list may be a day old. departedKey is a sorted set of
// those who were deleted ("12") or came back ("12+") since, by the millisecond in which that was told.
const (
	departedKey = "suggest:{departed}"
	cameBack    = "+"
)

const (
	maxDeparted  = 200_000
	departedLook = 250 * time.Millisecond // a replica asks so often at most
	departedLate = 5 * time.Second        // the clocks of those who tell may differ by this
)

// departedFor is how long who is gone is remembered: longer than any list is kept that was computed before
// the copy of the users said so.
func (s *Store) departedFor() time.Duration { return s.cfg.Keep + s.cfg.Fresh + time.Minute }

// depart tells all replicas who is gone, and who is back.
func (s *Store) depart(ctx context.Context, changes []core.Change) error {
	last := map[core.ID]bool{} // gone
	for i := range changes {
		if c := &changes[i]; (c.Kind == core.UserGone || c.Kind == core.UserBack) && c.Viewer.Valid() {
			last[c.Viewer] = c.Kind == core.UserGone || c.NoDiscovery
		}
	}
	if len(last) == 0 {
		return nil
	}
	conn, err := s.redis.Conn()
	if err != nil {
		return err
	}
	now := s.clock.Now()
	add, not := conn.B().Zadd().Key(departedKey).ScoreMember(), make([]string, 0, len(last))
	for user, gone := range last {
		member, other := user.String(), user.String()+cameBack
		if !gone {
			member, other = other, member
		}
		add, not = add.ScoreMember(float64(now.UnixMilli()), member), append(not, other)
	}
	for _, answer := range conn.DoMulti(ctx,
		conn.B().Zrem().Key(departedKey).Member(not...).Build(), add.Build(),
		conn.B().Zremrangebyscore().Key(departedKey).Min("-inf").
			Max(strconv.FormatInt(now.Add(-s.departedFor()).UnixMilli(), 10)).Build(),
		conn.B().Zremrangebyrank().Key(departedKey).Start(0).Stop(-maxDeparted-1).Build(),
		conn.B().Pexpire().Key(departedKey).Milliseconds(s.departedFor().Milliseconds()).Build(),
	) {
		if err := answer.Error(); err != nil {
			return fmt.Errorf("tell who is deleted: %w", err)
		}
	}
	return nil
}

// departedSince are those who went (true) or came back since a time.
func (s *Store) departedSince(ctx context.Context, since time.Time) (map[core.ID]bool, error) {
	conn, err := s.redis.Conn()
	if err != nil {
		return nil, err
	}
	members, err := conn.Do(ctx,
		conn.B().Zrange().Key(departedKey).Min(strconv.FormatInt(since.UnixMilli(),
			10)).Max("+inf").Byscore().Build()).AsStrSlice()
	if err != nil && !rueidis.IsRedisNil(err) {
		return nil, fmt.Errorf("who is deleted: %w", err)
	}
	found := make(map[core.ID]bool, len(members))
	for _, m := range members {
		text, back := strings.CutSuffix(m, cameBack)
		if id, err := core.ParseNumber(text); err == nil {
			found[id] = !back
		}
	}
	return found, nil
}

// departed is a replica's copy. Whoever asks while it is brought up to date uses what there is; while Redis is
// away, it stays.
type departed struct {
	store *Store
	gate  Gate // of Redis

	mu    sync.Mutex
	gone  map[core.ID]bool // replaced, never changed
	since time.Time        // all that was told before is known
	at    time.Time        // when somebody asked last
}

// now is who is gone.
func (d *departed) now(ctx context.Context) map[core.ID]bool {
	now := d.store.clock.Now()
	d.mu.Lock()
	gone, since, due := d.gone, d.since, now.Sub(d.at) >= departedLook
	if due {
		d.at = now
	}
	d.mu.Unlock()
	if !due {
		return gone
	}
	var news map[core.ID]bool
	err := d.gate.Do(ctx, func(ctx context.Context) (err error) {
		news, err = d.store.departedSince(ctx, since)
		return err
	})
	if err != nil {
		return gone
	}
	next := gone
	for id, isGone := range news {
		if gone[id] != isGone {
			if next = maps.Clone(gone); next == nil {
				next = map[core.ID]bool{}
			}
			break
		}
	}
	for id, isGone := range news {
		switch {
		case !isGone && next[id]:
			delete(next, id)
		case isGone && !next[id]:
			next[id] = true
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(next) > 2*maxDeparted { // those of long ago are in no list any more: they are read anew
		next, now = nil, time.Time{}.Add(departedLate)
	}
	d.gone, d.since = next, now.Add(-departedLate)
	return next
}
