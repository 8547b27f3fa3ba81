package store

import (
	"context"
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

// MarkHidden records posts that were hidden.
func (s *Store) MarkHidden(ctx context.Context, posts []Mark) error {
	return s.mark(ctx, posts, hiddenKey, s.cfg.HiddenFor, s.cfg.MaxHidden)
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

// trimScript keeps the latest marks.
const trimScript = `
redis.call('SET', KEYS[1], redis.call('GETRANGE', KEYS[1], -tonumber(ARGV[1]), -1), 'KEEPTTL')
return 1`

func (s *Store) mark(ctx context.Context, posts []Mark, key func(core.ID) string, keep time.Duration, most int) error {
	byUser := map[core.ID][]byte{}
	for _, m := range posts {
		byUser[m.User] = marks.Append(byUser[m.User], m.Post, m.At)
	}
	return inBatches(ctx, s, byUser, func(ctx context.Context, conn rueidis.Client, users []core.ID) error {
		commands := make(rueidis.Commands, 0, 2*len(users))
		for _, user := range users {
			k := key(user)
			commands = append(commands,
				conn.B().Append().Key(k).Value(rueidis.BinaryString(byUser[user])).Build(),
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
				trims = append(trims, rueidis.LuaExec{Keys: []string{key(user)}, Args: []string{strconv.Itoa(most * marks.Size)}})
			}
		}
		if len(trims) == 0 {
			return nil
		}
		return firstError(s.trim.ExecMulti(ctx, conn, trims...))
	})
}
