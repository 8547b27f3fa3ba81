package store

import (
	"context"
	_ "embed" // the script
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/marks"
)

// Mark is a post that a user saw or hid.
type Mark struct {
	User core.ID
	Post core.ID
	At   time.Time
}

// MarkSeen records posts that were seen, MarkHidden posts that were hidden. Marking again changes
// nothing.
func (s *Store) MarkSeen(ctx context.Context, posts []Mark) error {
	return s.mark(ctx, posts, seenKey, s.cfg.SeenFor, s.cfg.MaxSeen)
}

// MarkHidden records posts that were hidden. What Redis does not take now is written as soon as it does: see owed.
func (s *Store) MarkHidden(ctx context.Context, posts []Mark) error {
	if len(posts) == 0 {
		return nil
	}
	err := s.mark(ctx, posts, hiddenKey, s.cfg.HiddenFor, s.cfg.MaxHidden)
	if err != nil {
		s.owed.add(posts)
	}
	return err
}

// GiveBack writes marks of posts that a user hid and that were read before, unless there are some.
func (s *Store) GiveBack(ctx context.Context, user core.ID, hidden []byte) error {
	conn, err := s.redis.Conn()
	if err != nil {
		return err
	}
	command := conn.B().Set().Key(hiddenKey(user)).Value(rueidis.BinaryString(hidden)).Nx().Px(s.cfg.HiddenFor).Build()
	if err := conn.Do(ctx, command).Error(); err != nil && !rueidis.IsRedisNil(err) { // nil: there are some
		return fmt.Errorf("give marks of user %s back: %w", user, err)
	}
	return nil
}

// RefillSeen and RefillHidden write marks that Redis may have lost, each user's in their order: before
// those that it has, which are later ones.
func (s *Store) RefillSeen(ctx context.Context, posts []Mark) error {
	return s.refill(ctx, posts, seenKey, s.cfg.SeenFor)
}

// RefillHidden writes marks of hidden posts.
func (s *Store) RefillHidden(ctx context.Context, posts []Mark) error {
	return s.refill(ctx, posts, hiddenKey, s.cfg.HiddenFor)
}

//go:embed prepend.lua
var prependScript string

func (s *Store) refill(ctx context.Context, posts []Mark, key func(core.ID) string, keep time.Duration) error {
	of := byUser(posts)
	return inBatches(ctx, s, of, func(ctx context.Context, conn rueidis.Client, users []core.ID) error {
		looks := make(rueidis.Commands, len(users))
		for i, user := range users {
			looks[i] = conn.B().Get().Key(key(user)).Build()
		}
		var writes []rueidis.LuaExec
		for i, result := range conn.DoMulti(ctx, looks...) {
			there, err := result.AsBytes()
			if err != nil && !rueidis.IsRedisNil(err) {
				return err
			}
			if missing := marks.Without(of[users[i]], there); len(missing) > 0 {
				writes = append(writes, rueidis.LuaExec{
					Keys: []string{key(users[i])},
					Args: []string{rueidis.BinaryString(missing), millis(keep)},
				})
			}
		}
		if len(writes) == 0 {
			return nil
		}
		return firstError(s.prepend.ExecMulti(ctx, conn, writes...))
	})
}

// byUser puts each user's marks together.
func byUser(posts []Mark) map[core.ID][]byte {
	of := map[core.ID][]byte{}
	for _, m := range posts {
		of[m.User] = marks.Append(of[m.User], m.Post, m.At)
	}
	return of
}

//go:embed trim.lua
var trimScript string

func (s *Store) mark(ctx context.Context, posts []Mark, key func(core.ID) string, keep time.Duration, most int) error {
	of := byUser(posts)
	return inBatches(ctx, s, of, func(ctx context.Context, conn rueidis.Client, users []core.ID) error {
		commands := make(rueidis.Commands, 0, 2*len(users))
		for _, user := range users {
			k := key(user)
			commands = append(commands,
				conn.B().Append().Key(k).Value(rueidis.BinaryString(of[user])).Build(),
				conn.B().Pexpire().Key(k).Milliseconds(keep.Milliseconds()).Build())
		}
		results := conn.DoMulti(ctx, commands...)
		if err := firstError(results); err != nil {
			return err
		}
		var trims []rueidis.LuaExec
		for i, user := range users {
			length, err := results[2*i].AsInt64()
			if err != nil {
				return err
			}
			if length > int64(2*most*marks.Size) { // now and then, not with every mark
				trims = append(trims, rueidis.LuaExec{
					Keys: []string{key(user)},
					Args: []string{strconv.Itoa(most * marks.Size)},
				})
			}
		}
		if len(trims) == 0 {
			return nil
		}
		return firstError(s.trim.ExecMulti(ctx, conn, trims...))
	})
}
