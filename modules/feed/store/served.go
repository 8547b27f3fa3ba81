package store

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/rueidis"
)

// keepServed is for how long the counts of a day are kept.
const keepServed = 35 * 24 * time.Hour

func servedKey(day time.Time) string { return "served:v1:" + day.Format(time.DateOnly) }

// AddServed adds to how many pages came from where on a day.
func (s *Store) AddServed(ctx context.Context, day time.Time, counts map[string]int64) error {
	conn, err := s.redis.Conn()
	if err != nil {
		return err
	}
	commands := make(rueidis.Commands, 0, len(counts)+1)
	for from, n := range counts {
		commands = append(commands, conn.B().Hincrby().Key(servedKey(day)).Field(from).Increment(n).Build())
	}
	commands = append(commands, conn.B().Pexpire().Key(servedKey(day)).Milliseconds(keepServed.Milliseconds()).Build())
	if err := firstError(conn.DoMulti(ctx, commands...)); err != nil {
		return fmt.Errorf("count pages of %s: %w", day.Format(time.DateOnly), err)
	}
	return nil
}

// Served tells how many pages came from where on a day, of all replicas.
func (s *Store) Served(ctx context.Context, day time.Time) (map[string]int64, error) {
	conn, err := s.redis.Conn()
	if err != nil {
		return nil, err
	}
	counts, err := conn.Do(ctx, conn.B().Hgetall().Key(servedKey(day)).Build()).AsIntMap()
	if err != nil {
		return nil, fmt.Errorf("pages of %s: %w", day.Format(time.DateOnly), err)
	}
	return counts, nil
}
