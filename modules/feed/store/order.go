package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// sessionsPerUser bounds the orders that are kept of one user: a session takes the place that its
// number falls on.
const sessionsPerUser = 8

func orderKey(user core.ID, session uint64) string {
	return "pages:v1:{" + user.String() + "}:" + strconv.FormatUint(session%sessionsPerUser, 10)
}

// SaveOrder keeps the encoded order of a session.
func (s *Store) SaveOrder(ctx context.Context, user core.ID, session uint64, order []byte) error {
	conn, err := s.redis.Conn()
	if err != nil {
		return err
	}
	command := conn.B().Set().Key(orderKey(user,
		session)).Value(rueidis.BinaryString(order)).Px(s.cfg.SessionTTL).Build()
	if err := conn.Do(ctx, command).Error(); err != nil {
		return fmt.Errorf("save the order of a session of user %s: %w", user, err)
	}
	return nil
}

// LoadOrder reads the encoded order of a session, with the user's state; the order is nil where it
// is gone.
func (s *Store) LoadOrder(ctx context.Context, user core.ID, session uint64) (State, []byte, error) {
	conn, err := s.redis.Conn()
	if err != nil {
		return State{}, nil, err
	}
	values, err := conn.Do(ctx, conn.B().Mget().Key(entryKey(user), seenKey(user), hiddenKey(user),
		orderKey(user, session)).Build()).ToArray()
	if err != nil || len(values) != 4 {
		return State{}, nil, fmt.Errorf("load a session of user %s: %w", user, err)
	}
	var parts [4][]byte
	for i := range values {
		if values[i].IsNil() {
			continue
		}
		if parts[i], err = values[i].AsBytes(); err != nil {
			return State{}, nil, fmt.Errorf("load a session of user %s: %w", user, err)
		}
	}
	return State{Entry: parts[0], Seen: parts[1], Hidden: parts[2]}, parts[3], nil
}

// Orders are the encoded orders of all sessions of a user that can be continued.
func (s *Store) Orders(ctx context.Context, user core.ID) (orders [][]byte, err error) {
	conn, err := s.redis.Conn()
	if err != nil {
		return nil, err
	}
	keys := make([]string, sessionsPerUser)
	for session := range keys {
		keys[session] = orderKey(user, uint64(session)) // a few
	}
	values, err := conn.Do(ctx, conn.B().Mget().Key(keys...).Build()).ToArray()
	if err != nil {
		return nil, fmt.Errorf("load the sessions of user %s: %w", user, err)
	}
	for i := range values {
		if order, err := values[i].AsBytes(); err == nil {
			orders = append(orders, order)
		}
	}
	return orders, nil
}

// Drop forgets a user's cached reserve, and one that is being computed.
func (s *Store) Drop(ctx context.Context, user core.ID) error {
	conn, err := s.redis.Conn()
	if err != nil {
		return err
	}
	if err := conn.Do(ctx, conn.B().Unlink().Key(entryKey(user), leaseKey(user)).Build()).Error(); err != nil {
		return fmt.Errorf("drop the reserve of user %s: %w", user, err)
	}
	return nil
}

// AllReserves matches every user's cached reserve, and those that are being computed.
const AllReserves = "feed:v1:{*}*"

// remade are the keys whose values can be made again: reserves and the orders of sessions.
var remade = [...]string{"feed:v1:", "pages:v1:"}

// ErrPattern is returned for a pattern that might match what cannot be made again.
var ErrPattern = errors.New("must begin with feed:v1: or pages:v1:, as in feed:v1:{12*")

// DropAll forgets every user's cached reserve.
func (s *Store) DropAll(ctx context.Context) (dropped int64, err error) {
	return s.DropMatching(ctx, AllReserves)
}

// DropMatching forgets the keys that match a glob pattern of Redis, a few at a time.
func (s *Store) DropMatching(ctx context.Context, pattern string) (dropped int64, err error) {
	if !slices.ContainsFunc(remade[:], func(prefix string) bool { return strings.HasPrefix(pattern, prefix) }) {
		return 0, ErrPattern
	}
	conn, err := s.redis.Conn()
	if err != nil {
		return 0, err
	}
	err = redis.Scan(ctx, conn, pattern, func(node rueidis.Client, keys []string) error {
		commands := make(rueidis.Commands, len(keys)) // one key each: in a cluster they are on many slots
		for i, key := range keys {
			commands[i] = node.B().Unlink().Key(key).Build()
		}
		for _, result := range node.DoMulti(ctx, commands...) {
			n, err := result.AsInt64()
			if err != nil {
				return err
			}
			dropped += n
		}
		return nil
	})
	if err != nil {
		return dropped, fmt.Errorf("drop %s: %w", pattern, err)
	}
	return dropped, nil
}
