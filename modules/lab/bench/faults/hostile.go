package faults

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/lab/bench/attack"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// hostileAddresses are those of attackers, 127.0.0.66 and on: they are held to limits by address, and we are not.
const hostileAddresses = 16

// hostile has everybody ask at half of what the machine can do, while attackers send as many requests again: a third
// announces a body that is too long, a third has a token and a body that does not come, a third says nothing.
func (c *visitors) hostile(ctx context.Context, capacity float64, lasting time.Duration) *found {
	attacking, stop := context.WithCancel(ctx)
	var attackers sync.WaitGroup
	attackers.Go(func() { c.attack(attacking, capacity/2) })
	found := c.phase(ctx, capacity/2, lasting)
	stop()
	attackers.Wait()
	return found
}

// attack opens so many a second, and holds each for as long as the server lets it.
func (c *visitors) attack(ctx context.Context, rate float64) {
	trickled := attack.Trickled("/api/v1/events", "Bearer "+c.cached[0].Token)
	openings := []string{attack.TooLong("/nothing"), trickled, attack.Silent}
	var all sync.WaitGroup
	defer all.Wait()
	slots := make(chan struct{}, harness.MaxInFlight)
	ticks := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer ticks.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		select {
		case slots <- struct{}{}:
		default:
			continue // as many are open as this machine can hold
		}
		from := netip.AddrFrom4([4]byte{127, 0, 0, byte(66 + n%hostileAddresses)})
		all.Go(func() {
			defer func() { <-slots }()
			attack.Target{Addr: c.client.Addr(), From: from}.Hold(ctx, 1, openings[n%len(openings)])
		})
	}
}
