package ratelimit

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/platform/redis"
)

const (
	round      = 100 * time.Millisecond // between two rounds
	roundLimit = 250 * time.Millisecond // for one exchange with Redis
	roundKeys  = 512                    // in one pipeline
)

// Sync tells the replicas of each other's counts.
type Sync struct {
	redis    *redis.Client
	limiters []*Limiter
	failed   func(error)
}

// NewSync makes a Sync of these limiters; their names must differ.
func NewSync(client *redis.Client, failed func(error), limiters ...*Limiter) *Sync {
	return &Sync{redis: client, limiters: limiters, failed: failed}
}

// Run goes on until ctx ends.
func (s *Sync) Run(ctx context.Context) error {
	ticker := time.NewTicker(round)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := s.Round(ctx); err != nil && ctx.Err() == nil {
			s.failed(err)
		}
	}
}

// Round tells Redis what is new, and learns what the others have counted of the same keys. What
// cannot be told is told in the next round.
func (s *Sync) Round(ctx context.Context) error {
	for _, l := range s.limiters {
		for i := range l.shards {
			number, news := l.take(i)
			for len(news) > 0 {
				part := news[:min(roundKeys, len(news))]
				if err := s.exchange(ctx, l, i, number, part); err != nil {
					l.putBack(i, number, news)
					return err
				}
				news = news[len(part):]
			}
		}
	}
	return nil
}

// report is a key with what is to be told of it.
type report struct {
	key  Key
	here uint32 // of which told was told before
	told uint32
}

func (l *Limiter) take(i int) (number int64, news []report) {
	s := &l.shards[i]
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range s.news {
		t, here := s.now[key]
		if !here { // it had to make room
			continue
		}
		t.queued = false
		s.now[key] = t
		news = append(news, report{key: key, here: t.here, told: t.told})
	}
	s.news = s.news[:0]
	return s.window, news
}

func (l *Limiter) putBack(i int, number int64, news []report) {
	s := &l.shards[i]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.window != number {
		return
	}
	for _, r := range news {
		if t, here := s.now[r.key]; here && !t.queued {
			t.queued = true
			s.now[r.key] = t
			s.news = append(s.news, r.key)
		}
	}
}

func (l *Limiter) learn(i int, number int64, r report, total int64) {
	s := &l.shards[i]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.window != number {
		return
	}
	t, here := s.now[r.key]
	if !here {
		return
	}
	t.told = r.here
	t.others = uint32(max(0, total-int64(r.here)))
	s.now[r.key] = t
}

// exchange adds what is new and reads the sums, in one pipeline.
func (s *Sync) exchange(ctx context.Context, l *Limiter, shard int, number int64, news []report) error {
	conn, err := s.redis.Conn()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, roundLimit)
	defer cancel()
	commands := make(rueidis.Commands, 0, 2*len(news))
	for _, r := range news {
		key := RedisKey(l.rule.Name, r.key, number)
		commands = append(commands,
			conn.B().Incrby().Key(key).Increment(int64(r.here)-int64(r.told)).Build(),
			conn.B().Pexpire().Key(key).Milliseconds((2 * l.rule.Window).Milliseconds()).Build())
	}
	answers := conn.DoMulti(ctx, commands...)
	for i, r := range news {
		total, err := answers[2*i].AsInt64()
		if err != nil {
			return fmt.Errorf("share the counts of %s: %w", l.rule.Name, err)
		}
		l.learn(shard, number, r, total)
	}
	return nil
}

// RedisKey is where a key's count of a window is. All of a user's begin alike: see UserPattern.
func RedisKey(rule string, key Key, window int64) string {
	return fmt.Sprintf("rate:v1:%s:{%d}:%d:%d", rule, key.Who, key.What, window)
}

// UserPattern finds all counts of a user.
func UserPattern(user int64) string { return fmt.Sprintf("rate:v1:*:{%d}:*", user) }
