package feed

import (
	"context"
	"errors"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/candidates"
	"github.com/feedrank/feedrank/modules/feed/cursor"
)

var errNothingToWarm = errors.New("nothing to warm: Redis or the hot set is away")

// Warm computes a user's reserve ahead, unless the cached one stays fresh for half of its time yet, or
// another replica is at it.
func (f *Feed) Warm(ctx context.Context, user core.ID) error {
	r := f.take(Query{User: user, Order: cursor.Ranked, Limit: DefaultLimit})
	defer f.give(r)
	f.loadViewer(ctx, r)
	if r.Degraded || f.onDemand.Unavailable() != nil {
		return errNothingToWarm
	}
	if r.entry.Fresh(r.Now.Add(f.cfg.Cache.TTL / 2)) {
		return nil
	}
	_, err := f.builder.Ahead(ctx, r.whose()).Wait(ctx)
	if errors.Is(err, candidates.ErrElsewhere) {
		return nil
	}
	return err
}

// Busy tells whether so many reserves are being computed for those who are here that none should be
// computed for those who may come.
func (f *Feed) Busy() bool { return f.builder.Busy() }

// Drop forgets a user's cached reserve, and one that is being computed: their next page is computed anew.
func (f *Feed) Drop(ctx context.Context, user core.ID) error {
	err := f.store.Drop(ctx, user)
	f.builder.Forget(func(viewer core.ID) bool { return viewer == user })
	return err
}

// DropMatching forgets the keys that a pattern of Redis matches, and whatever this replica is computing.
func (f *Feed) DropMatching(ctx context.Context, pattern string) (dropped int64, err error) {
	dropped, err = f.store.DropMatching(ctx, pattern)
	f.builder.Forget(func(core.ID) bool { return true })
	return dropped, err
}
