package redis

import (
	"context"
	"errors"
	"fmt"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
)

// Options say where Redis listens. DataDir is not here: nothing is stored.
type Options struct {
	Addr     string // host:port; port 0 picks one
	Password string // empty: none asked for
}

// Run serves until ctx ends. It calls ready once, with the address it serves.
func Run(ctx context.Context, opts Options, ready func(addr string)) error {
	store := miniredis.NewMiniRedis()
	if opts.Password != "" {
		store.RequireAuth(opts.Password)
	}
	unused, err := store.Dial() // starts it without a listener: clients reach it through expiry only
	if err != nil {
		return fmt.Errorf("start redis: %w", err)
	}
	defer store.Close()
	if err := unused.Close(); err != nil {
		return fmt.Errorf("start redis: %w", err)
	}
	front, err := server.NewServer(opts.Addr)
	if err != nil {
		return fmt.Errorf("redis listen on %s: %w", opts.Addr, err)
	}
	defer front.Close()
	e := newExpiry(store)
	front.SetPreHook(e.serve)
	ready(front.Addr().String())
	if err := e.run(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
