package feedrank

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Retry says how often and how fast to ask again.
type Retry struct {
	Times       int           // after the first; 0: never
	Least, Most time.Duration // the pause doubles from the one to the other; each is between half of it and all
	MostAfter   time.Duration // a Retry-After beyond that is not waited for: the error is returned
}

// DefaultRetry gives up after some seconds.
func DefaultRetry() Retry {
	return Retry{Times: 4, Least: 200 * time.Millisecond, Most: 5 * time.Second, MostAfter: 30 * time.Second}
}

// permanent is an error that comes again.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// run calls until that succeeds, cannot, or was tried often enough.
func (r Retry) run(ctx context.Context, call func() error) error {
	for n := 0; ; n++ {
		err := call()
		var giveUp permanent
		switch {
		case err == nil:
			return nil
		case errors.As(err, &giveUp):
			return giveUp.error
		case !temporary(err) || n >= r.Times || ctx.Err() != nil:
			return err
		}
		pause := r.pause(n, err)
		if pause > max(r.MostAfter, r.Most) {
			return err
		}
		if wait(ctx, pause) != nil {
			return err
		}
	}
}

// pause is how long to wait before asking again: what the server says, if it does.
func (r Retry) pause(n int, err error) time.Duration {
	pause := r.Least << min(n, 20)
	if pause <= 0 || pause > r.Most {
		pause = r.Most
	}
	pause = pause/2 + rand.N(pause/2+1)
	var told *Error
	if errors.As(err, &told) && told.RetryAfter > 0 {
		return told.RetryAfter + pause // not everybody at the same moment
	}
	return pause
}

// wait returns after d, or with ctx's error.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
