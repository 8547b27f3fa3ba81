package suggest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// Store keeps in Redis what was computed for a user, and whom not to suggest to them: who was
// dismissed, and for as long as a list is kept also who was followed, blocked or muted since. All keys
// of a user share a hash tag, so they are on one slot of a cluster.
type Store struct {
	cfg   Config
	redis *redis.Client
	clock core.Clock
}

// NewStore makes a store.
func NewStore(cfg Config, client *redis.Client, clock core.Clock) *Store {
	return &Store{cfg: cfg, redis: client, clock: clock}
}

func usersKey(user core.ID) string    { return "suggest:users:{" + user.String() + "}" }
func barredKey(user core.ID) string   { return "suggest:barred:{" + user.String() + "}" }
func followedKey(user core.ID) string { return "suggest:followed:{" + user.String() + "}" }

func dismissedKey(user core.ID) string { return "suggest:dismissed:{" + user.String() + "}" }

// UserKeys are all keys that Redis may have of a user.
func UserKeys(user core.ID) []string {
	return []string{usersKey(user), barredKey(user), followedKey(user), dismissedKey(user)}
}

// Patterns find the sorted sets of people who are not to be suggested to somebody.
var Patterns = []string{"suggest:barred:{*}", "suggest:followed:{*}", "suggest:dismissed:{*}"}

// entry is a computed list.
type entry struct {
	ComputedAt time.Time `json:"computed_at"`
	FreshUntil time.Time `json:"fresh_until"`
	Items      []Item    `json:"items"`
}

// maxEntry bounds what is read back.
const maxEntry = 256 << 10

var errBadEntry = errors.New("not a list of suggestions")

func decodeEntry(text []byte) (*entry, error) {
	var e entry
	if len(text) > maxEntry {
		return nil, errBadEntry
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("%w: %w", errBadEntry, err)
	}
	for i := range e.Items {
		if !e.Items[i].User.Valid() {
			return nil, errBadEntry
		}
	}
	return &e, nil
}

// state is what is known of a user.
type state struct {
	entry  *entry           // nil: none
	barred map[core.ID]bool // blocked either way, or muted: neither a suggestion nor a reason
	known  map[core.ID]bool // followed since, or dismissed: no suggestion
}

// load reads a user's state in one round trip.
func (s *Store) load(ctx context.Context, user core.ID) (state, error) {
	conn, err := s.redis.Conn()
	if err != nil {
		return state{}, err
	}
	commands := rueidis.Commands{conn.B().Get().Key(usersKey(user)).Build()}
	for _, key := range []string{barredKey(user), followedKey(user), dismissedKey(user)} {
		commands = append(commands, conn.B().Zrange().Key(key).Min("("+s.seconds(0)).Max("+inf").Byscore().Build())
	}
	answers := conn.DoMulti(ctx, commands...)
	out := state{barred: map[core.ID]bool{}, known: map[core.ID]bool{}}
	for i, into := range []map[core.ID]bool{out.barred, out.known, out.known} {
		members, err := answers[1+i].AsStrSlice()
		if err != nil {
			return state{}, fmt.Errorf("whom not to suggest to %s: %w", user, err)
		}
		for _, m := range members {
			if id, err := core.ParseNumber(m); err == nil {
				into[id] = true
			}
		}
	}
	text, err := answers[0].AsBytes()
	switch {
	case rueidis.IsRedisNil(err):
		return out, nil
	case err != nil:
		return out, fmt.Errorf("suggestions of %s: %w", user, err)
	}
	if e, err := decodeEntry(text); err == nil { // of another version, or damaged: as if there were none
		out.entry = e
	}
	return out, nil
}

// save keeps a list.
func (s *Store) save(ctx context.Context, user core.ID, e *entry) error {
	conn, err := s.redis.Conn()
	if err != nil {
		return err
	}
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("suggestions of %s: %w", user, err)
	}
	set := conn.B().Set().Key(usersKey(user)).Value(rueidis.BinaryString(text)).Px(s.cfg.Keep).Build()
	if err := conn.Do(ctx, set).Error(); err != nil {
		return fmt.Errorf("keep the suggestions of %s: %w", user, err)
	}
	return nil
}

// freshUntil is when a list computed now is to be computed anew; spread by a tenth. A short list is one
// of a newcomer, who may follow their first people any moment.
func (s *Store) freshUntil(items int) time.Time {
	fresh := float64(s.cfg.Fresh) * (0.9 + 0.2*rand.Float64())
	if items < defaultLimit {
		fresh /= 10
	}
	return s.clock.Now().Add(time.Duration(fresh))
}

// barUsers is how many users' lists of the barred are written at once.
const barUsers = 256

// bar leaves people out of users' suggestions for a time, many users in one round trip. What is there for
// longer stays. Of each user the oldest beyond the bound are forgotten.
func (s *Store) bar(ctx context.Context, keyOf func(core.ID) string, of map[core.ID][]core.ID,
	length time.Duration,
) error {
	if len(of) == 0 {
		return nil
	}
	conn, err := s.redis.Conn()
	if err != nil {
		return err
	}
	until, err := strconv.ParseFloat(s.seconds(length), 64)
	if err != nil {
		return err
	}
	for users := range slices.Chunk(slices.Sorted(maps.Keys(of)), barUsers) {
		var all rueidis.Commands
		for _, user := range users {
			key, others := keyOf(user), of[user]
			add := conn.B().Zadd().Key(key).Gt().ScoreMember()
			for _, other := range others[max(0, len(others)-s.cfg.MaxBarred):] {
				add = add.ScoreMember(until, other.String())
			}
			all = append(all, add.Build(),
				conn.B().Zremrangebyscore().Key(key).Min("-inf").Max(s.seconds(0)).Build(),
				conn.B().Zremrangebyrank().Key(key).Start(0).Stop(int64(-s.cfg.MaxBarred-1)).Build(),
				conn.B().Pexpire().Key(key).Milliseconds(max(s.cfg.DismissFor, s.cfg.Keep).Milliseconds()+1000).Build(),
			)
		}
		for _, answer := range conn.DoMulti(ctx, all...) {
			if err := answer.Error(); err != nil {
				return fmt.Errorf("leave people out for users %s to %s: %w", users[0], users[len(users)-1], err)
			}
		}
	}
	return nil
}

// Dismiss leaves somebody out for Config.DismissFor.
func (s *Store) Dismiss(ctx context.Context, user, other core.ID) error {
	return s.bar(ctx, dismissedKey, map[core.ID][]core.ID{user: {other}}, s.cfg.DismissFor)
}

// Undismiss takes a dismissal back.
func (s *Store) Undismiss(ctx context.Context, user, other core.ID) error {
	conn, err := s.redis.Conn()
	if err != nil {
		return err
	}
	if err := conn.Do(ctx, conn.B().Zrem().Key(dismissedKey(user)).Member(other.String()).Build()).Error(); err != nil {
		return fmt.Errorf("take a dismissal of %s back: %w", user, err)
	}
	return nil
}

// Changed leaves out whom a user follows, blocks or mutes since their list was computed, for as long
// as the list may be kept, and who is gone out of everybody's lists.
func (s *Store) Changed(ctx context.Context, changes []core.Change) error {
	barred, followed := map[core.ID][]core.ID{}, map[core.ID][]core.ID{}
	note := func(in map[core.ID][]core.ID, user, other core.ID) {
		if user.Valid() && other.Valid() {
			in[user] = append(in[user], other)
		}
	}
	for i := range changes {
		switch c := &changes[i]; c.Kind {
		case core.Followed:
			note(followed, c.Viewer, c.Other)
		case core.Muted:
			note(barred, c.Viewer, c.Other)
		case core.Blocked:
			note(barred, c.Viewer, c.Other)
			note(barred, c.Other, c.Viewer)
		default:
		}
	}
	return errors.Join(s.depart(ctx, changes), s.bar(ctx, barredKey, barred, s.cfg.Keep+time.Minute),
		s.bar(ctx, followedKey, followed, s.cfg.Keep+time.Minute))
}

func (s *Store) seconds(from time.Duration) string {
	return strconv.FormatInt(s.clock.Now().Add(from).Unix(), 10)
}
