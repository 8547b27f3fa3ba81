package feed

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
)

// Published are the lists of trending posts that a job makes for all replicas: of a week, and for
// replicas without a hot set. The job also looks at who did what was done, which counters cannot
// tell.
type Published interface {
	Trending(ctx context.Context, window string) (Trending, error)
}

// Trending is a list of the job.
type Trending struct {
	Posts      []hot.Ranked // best first
	Suppressed []core.ID    // left out although much was done with them: by one account, or a few
}

// Unpublished is what stands in where no job makes lists.
type Unpublished struct{}

// Trending is empty.
func (Unpublished) Trending(context.Context, string) (Trending, error) { return Trending{}, nil }

// windows are those of the job's lists.
var windows = [...]string{windowHour, windowDay, windowWeek}

// lists are the job's lists as they were read last.
type lists struct {
	source Published
	latest [len(windows)]Trending
	byName atomic.Pointer[map[string][]hot.Ranked]
}

// list is the job's list of a window; empty where there is none.
func (l *lists) list(window string) []hot.Ranked {
	if all := l.byName.Load(); all != nil {
		return (*all)[window]
	}
	return nil
}

// asHot are the lists in the shape of those of a hot set.
func (l *lists) asHot() *hot.Lists {
	return &hot.Lists{Hour: l.list(windowHour), Day: l.list(windowDay), Popular: l.list(windowWeek)}
}

// followLists reads the lists every so often, and has the hot set obey what the job found out.
func (f *Feed) followLists(ctx context.Context) error {
	ticker := time.NewTicker(f.cfg.ListsEvery)
	defer ticker.Stop()
	for {
		f.readLists(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// readLists reads them once. What cannot be read stays as it was; a list that is gone is not trusted
// any more, but who was refused in it stays refused until the next list says otherwise.
func (f *Feed) readLists(ctx context.Context) {
	byName := map[string][]hot.Ranked{}
	var suppressed []core.ID
	for i, window := range windows {
		var list Trending
		err := f.guards.Redis.Do(ctx, func(ctx context.Context) (err error) {
			list, err = f.lists.source.Trending(ctx, window)
			return err
		})
		latest := &f.lists.latest[i]
		switch {
		case err != nil:
			f.metrics.redisFailures.WithLabelValues("lists").Inc()
		case len(list.Posts) == 0 && len(list.Suppressed) == 0:
			latest.Posts = nil
		default:
			*latest = list
		}
		byName[window] = latest.Posts
		suppressed = append(suppressed, latest.Suppressed...)
	}
	f.lists.byName.Store(&byName)
	f.hot.Suppress(suppressed)
}
