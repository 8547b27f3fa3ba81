package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// What the consumers write goes in pipelines of a bounded size, each with a deadline of its own that is
// longer than a reader's: what viewers saw and hid should not be lost because Redis is busy.
const (
	batchUsers   = 256
	writeTimeout = time.Second            // of one pipeline
	probeTimeout = 250 * time.Millisecond // of the first pipeline after one was given up
	firstPause   = 50 * time.Millisecond  // before another attempt; twice as long each time
)

// LostError tells for how many users something could not be written.
type LostError struct {
	Users int
	Err   error // the last one: they are alike
}

// Error names the number and one reason.
func (e *LostError) Error() string {
	return fmt.Sprintf("write signals of %d users to Redis: %v", e.Users, e.Err)
}

// Unwrap is the reason.
func (e *LostError) Unwrap() error { return e.Err }

// inBatches writes something of each user, and again for a while where that fails. After it has given
// up once, it tries once only until Redis answers again: the consumers should not wait for a server
// that is away.
func inBatches[T any](ctx context.Context, s *Store, of map[core.ID]T,
	write func(context.Context, rueidis.Client, []core.ID) error,
) error {
	users := slices.Sorted(maps.Keys(of))
	for done := 0; done < len(users); done += batchUsers {
		batch := users[done:min(done+batchUsers, len(users))]
		if err := s.persist(ctx, func(ctx context.Context,
			conn rueidis.Client,
		) error {
			return write(ctx, conn, batch)
		}); err != nil {
			return &LostError{Users: len(users) - done, Err: err}
		}
	}
	return nil
}

func (s *Store) persist(ctx context.Context, write func(context.Context, rueidis.Client) error) error {
	watch, pause, timeout := core.StartStopwatch(), firstPause, writeTimeout
	if s.down.Load() {
		timeout = probeTimeout
	}
	for {
		err := s.attempt(ctx, timeout, write)
		if err == nil {
			s.down.Store(false)
			return nil
		}
		if s.down.Load() || watch.Elapsed()+pause > s.cfg.WriteFor {
			s.down.Store(true)
			return err
		}
		if ended := worker.Pause(ctx, pause); ended != nil {
			return errors.Join(err, ended)
		}
		pause *= 2
	}
}

func (s *Store) attempt(ctx context.Context, timeout time.Duration,
	write func(context.Context, rueidis.Client) error,
) error {
	conn, err := s.redis.Conn()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err = write(ctx, conn)
	if err != nil {
		s.redis.Note(err)
	}
	return err
}

// firstError is the first of the failures of a pipeline: there can be hundreds alike.
func firstError(results []rueidis.RedisResult) error {
	for i := range results {
		if err := results[i].Error(); err != nil {
			return err
		}
	}
	return nil
}
