package published

import (
	"context"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
)

// Weekly ranks the trending posts of more days than the hot set covers.
type Weekly interface {
	Since(ctx context.Context, since, now time.Time, ranking *rank.Config, limit int) ([]hot.Ranked, error)
}

var _ Weekly = (*hot.ClickHouse)(nil)

// weekEvery is how long the week's list is used before it is asked for again.
const weekEvery = time.Minute

// WeekCache holds the week's list that is asked of ClickHouse, which is the same for everybody.
type WeekCache struct {
	source     Weekly
	clickhouse guards.Guard
	limit      int
	mu         sync.Mutex
	list       []hot.Ranked
	at         time.Time // when it was asked for last
	asking     bool
}

// NewWeekCache makes an empty one, of lists of at most limit posts.
func NewWeekCache(source Weekly, clickhouse guards.Guard, limit int) *WeekCache {
	return &WeekCache{source: source, clickhouse: clickhouse, limit: limit}
}

// List is the list of seven days: from memory, and asked for again by one request a minute, while
// the others use what there is.
func (c *WeekCache) List(ctx context.Context, ranking *rank.Config, now time.Time) ([]hot.Ranked, error) {
	c.mu.Lock()
	if c.list != nil && (c.asking || now.Sub(c.at) < weekEvery) {
		defer c.mu.Unlock()
		return c.list, nil
	}
	if c.asking {
		c.mu.Unlock()
		return nil, core.Unavailable("the list of the week", time.Second, nil)
	}
	c.asking = true
	c.mu.Unlock()

	var list []hot.Ranked
	err := c.clickhouse.Do(ctx, func(ctx context.Context) (err error) {
		list, err = c.source.Since(ctx, now.AddDate(0, 0, -7), now, ranking, c.limit)
		return err
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asking, c.at = false, now
	if err != nil {
		return c.list, orNil(c.list, err)
	}
	c.list = list
	return list, nil
}

// orNil is no error where there is an older list to show.
func orNil(list []hot.Ranked, err error) error {
	if list != nil {
		return nil
	}
	return err
}
