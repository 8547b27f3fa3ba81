package erase

import (
	"context"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// Keys says where Redis has something of a person, and which keys in ClickHouse name one.
type Keys struct {
	Own      func(core.ID) []string // keys of theirs
	Patterns func(core.ID) []string // of more keys of theirs, whose names cannot be told
	Lists    []string               // keys of lists of people
	Sets     []string               // patterns of sorted sets of people, which are others'
	// Places of people in the keys of rows that join two things, counted from 1, by kind: see cdc.PeoplePlaces.
	Places map[string][]int
}

// forgetRedis removes the people's keys, and takes them out of lists. What was computed for others may name them until
// it expires.
func (e *Eraser) forgetRedis(ctx context.Context, users []core.ID, r *Report) error {
	conn, err := e.redis.Conn()
	if err != nil {
		return err
	}
	for _, user := range users {
		var commands rueidis.Commands
		for _, key := range e.keys.Own(user) {
			commands = append(commands, conn.B().Unlink().Key(key).Build())
		}
		for _, key := range e.keys.Lists {
			commands = append(commands, conn.B().Lrem().Key(key).Count(0).Element(user.String()).Build())
		}
		if err := count(ctx, conn, commands, r); err != nil {
			return err
		}
		for _, pattern := range e.keys.Patterns(user) {
			if err := e.each(ctx, conn, pattern, r, func(node rueidis.Client, key string) rueidis.Completed {
				return node.B().Unlink().Key(key).Build()
			}); err != nil {
				return err
			}
		}
	}
	members := make([]string, len(users))
	for i, user := range users {
		members[i] = user.String()
	}
	for _, pattern := range e.keys.Sets {
		if err := e.each(ctx, conn, pattern, r, func(node rueidis.Client, key string) rueidis.Completed {
			return node.B().Zrem().Key(key).Member(members...).Build()
		}); err != nil {
			return err
		}
	}
	return nil
}

// each sends a command for every key of a pattern, on every node.
func (e *Eraser) each(ctx context.Context, conn rueidis.Client, pattern string, r *Report,
	command func(rueidis.Client, string) rueidis.Completed,
) error {
	return redis.Scan(ctx, conn, pattern, func(node rueidis.Client, keys []string) error {
		commands := make(rueidis.Commands, len(keys))
		for i, key := range keys {
			commands[i] = command(node, key)
		}
		return count(ctx, node, commands, r)
	})
}

// count sends commands that answer with how much they removed.
func count(ctx context.Context, conn rueidis.Client, commands rueidis.Commands, r *Report) error {
	if len(commands) == 0 {
		return nil
	}
	for _, answer := range conn.DoMulti(ctx, commands...) {
		n, err := answer.AsInt64()
		if err != nil {
			return err
		}
		r.Redis += n
	}
	return nil
}
