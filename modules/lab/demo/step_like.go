package demo

import (
	"context"
	"fmt"

	"github.com/feedrank/feedrank/modules/core"
)

// showLike posts likes and measures how long the feed takes to rank by them.
func (t *tour) showLike(ctx context.Context) error {
	times, err := t.likes(ctx, t.opts.Trials)
	t.figures = append(t.figures, times.figures("event_visible")...)
	if err != nil {
		return err
	}
	p, err := t.checked(ctx, t.cast.viewer)
	if err != nil {
		return err
	}
	t.screen.say("POST /api/v1/events with a like; the feed's engagement counts it after %s.",
		t.screen.paint(cyan, short(times[0])))
	t.screen.say("From the call to the changed feed: %s.", times)
	t.screen.say("%s", t.screen.paint(dim,
		"HTTP, Kafka, the consumer, ClickHouse and its view, the hot set, the page: served from "+p.ServedFrom+"."))
	return nil
}

// likes runs trials: somebody likes a post of a friend, and the viewer's page counts one more.
func (t *tour) likes(ctx context.Context, n int) (latencies, error) {
	p, err := t.look(ctx)
	if err != nil {
		return nil, err
	}
	if len(t.targets) == 0 {
		if err := t.pickTargets(ctx, p); err != nil {
			return nil, err
		}
	}
	want := make([]int64, len(t.targets))
	for i, post := range t.targets {
		likes, shown := p.likes(post.id)
		if !shown {
			return nil, fmt.Errorf("post %s is on the page no longer", post.id)
		}
		want[i] = likes
	}
	begin := func(ctx context.Context, slot int) error {
		want[slot]++
		return t.client.act(ctx, t.fan(), core.ActionLike, t.targets[slot])
	}
	return trials(ctx, t.opts.patience.show, n, len(t.targets), begin,
		func(ctx context.Context) (func(int) bool, error) {
			p, err := t.look(ctx)
			if err != nil {
				return nil, err
			}
			return func(slot int) bool {
				likes, shown := p.likes(t.targets[slot].id)
				return shown && likes >= want[slot]
			}, nil
		})
}

// fan is the next of those who like things.
func (t *tour) fan() core.ID {
	t.liked++
	return t.cast.fans[t.liked%len(t.cast.fans)]
}
