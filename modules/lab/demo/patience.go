package demo

import "time"

// patience is how long the tour waits for what should happen before the step has failed.
type patience struct {
	settle   time.Duration // until the program has caught up with what was seeded
	counts   time.Duration // of it, until posts of the past have counts
	still    time.Duration // for so long a page must stand still before it counts as caught up
	show     time.Duration // until one change shows
	outage   time.Duration // until enough feeds were answered without ClickHouse
	recovery time.Duration // until feeds are whole again
	without  int           // feeds to be answered while ClickHouse is away
}

func defaultPatience() patience {
	return patience{
		settle: 3 * time.Minute, counts: 75 * time.Second, still: 2 * time.Second, show: 20 * time.Second,
		outage: 30 * time.Second, recovery: 90 * time.Second, without: 100,
	}
}
