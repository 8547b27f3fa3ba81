package feed

import (
	"context"
	"errors"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
)

var errNothingToWarm = errors.New("nothing to warm: Redis or the hot set is away")

// Warm computes a user's reserve ahead, unless the cached one stays fresh for half of its time yet, or
// another replica is at it.
func (f *Feed) Warm(ctx context.Context, user core.ID) error {
	r := f.take(Query{User: user, Algo: cursor.Ranked, Limit: defaultLimit})
	defer f.give(r)
	f.loadViewer(ctx, r)
	if r.degraded || f.unavailable() != nil {
		return errNothingToWarm
	}
	if r.entry.Fresh(r.now.Add(f.cfg.Cache.TTL / 2)) {
		return nil
	}
	_, err := f.computeOnce(r, true).wait(ctx)
	if errors.Is(err, errElsewhere) {
		return nil
	}
	return err
}

// Busy tells whether so many reserves are being computed for those who are here that none should be
// computed for those who may come.
func (f *Feed) Busy() bool { return f.singleflight.under() >= f.cfg.Cache.MaxRefresh }
