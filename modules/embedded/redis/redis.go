// Package redis runs miniredis as the embedded Redis.
//
// It lives in memory only: after a stop or a kill it comes back empty, which is
// what a cache has to survive anyway. It knows no CLIENT TRACKING, so rueidis
// needs DisableCache.
package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// Options say where Redis listens. DataDir is not here: nothing is stored.
type Options struct {
	Addr     string // host:port; port 0 picks one
	Password string // empty: none asked for
}

// Run serves until ctx ends. It calls ready once, with the address it serves.
func Run(ctx context.Context, opts Options, ready func(addr string)) error {
	server := miniredis.NewMiniRedis()
	if opts.Password != "" {
		server.RequireAuth(opts.Password)
	}
	if err := server.StartAddr(opts.Addr); err != nil {
		return fmt.Errorf("redis listen on %s: %w", opts.Addr, err)
	}
	defer server.Close()
	ready(server.Addr())
	age(ctx, server)
	return nil
}

const (
	shortestTick = 100 * time.Millisecond
	longestTick  = 5 * time.Second
)

// age makes time pass for keys with a TTL until ctx ends. miniredis does not do
// so by itself, and its own ClockTTL walks over every key on every command. One
// walk costs about 1 ms for 1,000 keys, so the pause after it is fifty times as
// long: expiry is late by at most that pause, and costs 2 % of a core.
func age(ctx context.Context, server *miniredis.Miniredis) {
	last := time.Now()
	timer := time.NewTimer(shortestTick)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		now := time.Now()
		server.FastForward(now.Sub(last))
		last = now
		timer.Reset(min(max(50*time.Since(now), shortestTick), longestTick))
	}
}
