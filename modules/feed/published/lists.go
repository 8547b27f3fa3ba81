package published

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/feed/hot"
)

// Source has the lists of trending posts that a job makes for all replicas: of a week, and for
// replicas without a hot set. The job also looks at who did what was done, which counters cannot
// tell.
type Source interface {
	Trending(ctx context.Context, window string) (List, error)
}

// List is a list of the job.
type List struct {
	Posts      []hot.Ranked // best first
	Suppressed []core.ID    // left out although much was done with them: by one account, or a few
}

// Nothing is the source where no job makes lists.
type Nothing struct{}

// Trending is empty.
func (Nothing) Trending(context.Context, string) (List, error) { return List{}, nil }

// The windows of trending.
const (
	Hour = "1h"
	Day  = "24h"
	Week = "7d"
)

// windows are those of the job's lists.
var windows = [...]string{Hour, Day, Week}

// Lists are the job's lists as they were read last.
type Lists struct {
	source   Source
	every    time.Duration
	redis    guards.Guard
	suppress func([]core.ID)
	failures prometheus.Counter
	latest   [len(windows)]List
	byName   atomic.Pointer[map[string][]hot.Ranked]
}

// NewLists makes empty ones. They are read so often, past the guard of Redis; suppress hears which posts the job has
// left out.
func NewLists(source Source, every time.Duration, redis guards.Guard, suppress func([]core.ID),
	failures prometheus.Counter,
) *Lists {
	return &Lists{source: source, every: every, redis: redis, suppress: suppress, failures: failures}
}

// Of is the job's list of a window; empty where there is none.
func (l *Lists) Of(window string) []hot.Ranked {
	if all := l.byName.Load(); all != nil {
		return (*all)[window]
	}
	return nil
}

// AsHot are the lists in the shape of those of a hot set.
func (l *Lists) AsHot() *hot.Lists {
	return &hot.Lists{Hour: l.Of(Hour), Day: l.Of(Day), Popular: l.Of(Week)}
}

// Follow reads the lists every so often.
func (l *Lists) Follow(ctx context.Context) error {
	ticker := time.NewTicker(l.every)
	defer ticker.Stop()
	for {
		l.read(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// read reads them once. What cannot be read stays as it was; a list that is gone is not trusted
// any more, but who was refused in it stays refused until the next list says otherwise.
func (l *Lists) read(ctx context.Context) {
	byName := map[string][]hot.Ranked{}
	var suppressed []core.ID
	for i, window := range windows {
		var list List
		err := l.redis.Do(ctx, func(ctx context.Context) (err error) {
			list, err = l.source.Trending(ctx, window)
			return err
		})
		latest := &l.latest[i]
		switch {
		case err != nil:
			l.failures.Inc()
		case len(list.Posts) == 0 && len(list.Suppressed) == 0:
			latest.Posts = nil
		default:
			*latest = list
		}
		byName[window] = latest.Posts
		suppressed = append(suppressed, latest.Suppressed...)
	}
	l.byName.Store(&byName)
	l.suppress(suppressed)
}
