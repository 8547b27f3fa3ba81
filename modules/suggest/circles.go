package suggest

import (
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/feedrank/feedrank/modules/core"
)

// circles are those that were asked for lately, each for as long as a list of suggestions is fresh. Beyond
// the bytes that they may take, those that were not used for longest go.
type circles struct {
	cfg     *Config
	clock   core.Clock
	metrics *metrics

	mu    sync.Mutex
	kept  *simplelru.LRU[core.ID, keptCircle]
	bytes int
}

type keptCircle struct {
	Circle
	at int64 // when it was asked for, in nanoseconds
}

// circleOverhead is what a circle takes without anybody in it: its place in the list and the map.
const circleOverhead = 160

func (c Circle) bytes() int { return circleOverhead + len(c) }

func newCircles(cfg *Config, clock core.Clock, m *metrics) (*circles, error) {
	c := &circles{cfg: cfg, clock: clock, metrics: m}
	kept, err := simplelru.NewLRU(cfg.CircleBytes/circleOverhead,
		func(_ core.ID, one keptCircle) { c.bytes -= one.bytes() })
	if err != nil {
		return nil, fmt.Errorf("suggest.circle_bytes: %w", err)
	}
	c.kept = kept
	return c, nil
}

// of are the circles of some people, as far as they are known and not older than age.
func (c *circles) of(found map[core.ID]Circle, people []core.ID, age time.Duration) (missing []core.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	since := c.clock.Now().Add(-age).UnixNano()
	for _, id := range people {
		if one, there := c.kept.Get(id); there && one.at > since {
			found[id] = one.Circle
		} else {
			missing = append(missing, id)
		}
	}
	c.metrics.circles.WithLabelValues("kept").Add(float64(len(people) - len(missing)))
	c.metrics.circles.WithLabelValues("asked").Add(float64(len(missing)))
	return missing
}

// room says whether there is room for people whom nobody has asked for yet.
func (c *circles) room() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes < c.cfg.CircleBytes/10*9
}

// add keeps what was found when these people were asked for: of them, that there is nothing, too.
func (c *circles) add(found map[core.ID]Circle, people []core.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now().UnixNano()
	for _, id := range people {
		if _, there := found[id]; !there {
			found[id] = ""
		}
	}
	for id, one := range found {
		c.kept.Remove(id)
		c.kept.Add(id, keptCircle{one, now})
		c.bytes += one.bytes()
	}
	for c.bytes > c.cfg.CircleBytes {
		c.kept.RemoveOldest()
	}
	c.metrics.circleBytes.Set(float64(c.bytes))
}
