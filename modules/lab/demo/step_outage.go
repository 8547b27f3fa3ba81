package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

const (
	clickHouseServer = "clickhouse"
	warmUpRequests   = 10
)

// showOutage kills ClickHouse under a trickle of requests, and starts it again.
func (t *tour) showOutage(ctx context.Context) error {
	if t.deps.Servers == nil {
		t.screen.say("These servers are not ours to kill: left out.")
		return nil
	}
	before, err := t.look(ctx)
	if err != nil {
		return err
	}
	if err := t.pickTargets(ctx, before); err != nil {
		return err
	}
	trickle := t.startTrickle(ctx)
	defer trickle.stop()
	_, err = until(ctx, t.opts.patience.outage, trickleEvery, func(context.Context) (bool, error) {
		return trickle.counts().requests >= warmUpRequests, nil
	})
	if err != nil {
		return fmt.Errorf("before the kill: %w", err)
	}
	if err := t.deps.Servers.Kill(clickHouseServer); err != nil {
		return err
	}
	trickle.kill()
	trickle.askNow(ctx)
	err = t.outage(ctx, trickle)
	// It comes back whatever was seen: the tour goes on with it.
	returning := time.Now()
	if restart := t.deps.Servers.Restart(ctx, clickHouseServer); restart != nil {
		return errors.Join(err, restart)
	}
	t.note("clickhouse_restart_ms", time.Since(returning))
	if err == nil {
		err = t.recovery(ctx, before)
	}
	trickle.stop()
	return errors.Join(err, t.judge(trickle.counts()))
}

// outage lets the trickle run without ClickHouse. An event that comes meanwhile is accepted; nobody
// can count it yet.
func (t *tour) outage(ctx context.Context, trickle *trickle) error {
	if err := t.client.act(ctx, t.fan(), core.ActionLike, t.targets[0]); err != nil {
		return fmt.Errorf("an event without ClickHouse: %w", err)
	}
	_, err := until(ctx, t.opts.patience.outage, trickleEvery, func(context.Context) (bool, error) {
		return trickle.counts().without >= t.opts.patience.without, nil
	})
	c := trickle.counts()
	if err != nil {
		return errors.Join(fmt.Errorf("without ClickHouse, %d feeds were answered: %w", c.without, err),
			errors.Join(c.failures[:min(1, len(c.failures))]...))
	}
	t.screen.say("Killed. The first feed was answered %s later; %d were until it came back.",
		t.screen.paint(cyan, short(c.first)), c.without)
	t.screen.say("Served from: %s.", c.places())
	return nil
}

// recovery waits until feeds that nobody has cached are computed from ClickHouse, the event that came
// meanwhile is counted, and a new one as well.
func (t *tour) recovery(ctx context.Context, before *page) error {
	started := time.Now()
	_, untouched := t.cast.split()
	for _, viewer := range append(untouched[:len(untouched):len(untouched)], t.cast.viewer) {
		_, err := until(ctx, t.opts.patience.recovery, settleEvery, func(ctx context.Context) (bool, error) {
			p, err := t.client.feed(ctx, viewer, pageLimit, true)
			return err == nil && p.whole() && len(p.Items) > 0, err
		})
		if err != nil {
			return fmt.Errorf("the feed of user %d did not recover: %w", viewer, err)
		}
	}
	t.note("recovery_feed_ms", time.Since(started))
	likes, _ := before.likes(t.targets[0].id)
	_, err := until(ctx, t.opts.patience.recovery, settleEvery, func(ctx context.Context) (bool, error) {
		p, err := t.look(ctx)
		if err != nil {
			return false, err
		}
		now, _ := p.likes(t.targets[0].id)
		return now > likes, nil
	})
	if err != nil {
		return fmt.Errorf("a like that came while ClickHouse was away: %w", err)
	}
	if _, err := t.likes(ctx, 1); err != nil {
		return fmt.Errorf("a like after ClickHouse came back: %w", err)
	}
	recovered := time.Since(started)
	t.note("recovery_ms", recovered)
	t.screen.say("ClickHouse is back. After %s feeds are computed from it, and likes count: the one given meanwhile, and a new one.", t.screen.paint(cyan, short(recovered)))
	_, err = t.checked(ctx, t.cast.viewer)
	return err
}

// judge holds that no request failed, from before the kill until after the recovery.
func (t *tour) judge(c tally) error {
	t.note("outage_first_answer_ms", c.first)
	t.note("outage_slowest_ms", c.slowest)
	t.count("outage_requests", c.requests)
	t.count("outage_failed", len(c.failures))
	t.count("outage_wrong", len(c.wrong))
	if len(c.failures) > 0 {
		return fmt.Errorf("%d of %d requests failed, the first: %w", len(c.failures), c.requests, c.failures[0])
	}
	if len(c.wrong) > 0 {
		return fmt.Errorf("%d of %d pages do not hold, the first: %w", len(c.wrong), c.requests, c.wrong[0])
	}
	t.screen.say("All the while %d feeds were asked for, and none failed; the slowest took %s.", c.requests,
		short(c.slowest))
	return nil
}
