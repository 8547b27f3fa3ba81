package app

import (
	"context"
	"errors"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events"
	"github.com/feedrank/feedrank/modules/events/ingest"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/keys"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// hideFollower tells the feed of what viewers hid in other replicas while Redis, which tells of it otherwise, is away
// or takes no writes: then pages are made of what the replica remembers.
type hideFollower struct {
	redis  *redis.Client
	events events.Config
	kafka  kafka.Config
	before time.Duration // the age of what the replica may remember when the outage begins
	hide   func(user core.ID, hidden []core.HiddenPost)
	hear   func(core.Key) error
	clock  core.Clock
	log    *zap.Logger
}

const (
	lookEvery = 100 * time.Millisecond
	stayFor   = 10 * time.Second // after Redis is back: what it did not take is written to it meanwhile
)

func (h hideFollower) run(ctx context.Context) error {
	well := h.clock.Now()
	for worker.Pause(ctx, lookEvery) == nil {
		if !h.redis.Away() {
			well = h.clock.Now()
			continue
		}
		h.log.Warn("hides are followed in the log of events, since redis does not tell of them")
		if err := h.follow(ctx, well.Add(-h.before)); err != nil && ctx.Err() == nil {
			h.log.Error("follow hides", zap.Error(err))
		}
	}
	return nil
}

// follow reads until Redis has been well for a while.
func (h hideFollower) follow(ctx context.Context, since time.Time) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := worker.NewGroup(nil)
	workers.Go("until redis is back", func(ctx context.Context) error {
		well := 0 * time.Second
		for well < stayFor && worker.Pause(ctx, lookEvery) == nil {
			if well += lookEvery; h.redis.Away() {
				well = 0
			}
		}
		cancel()
		return nil
	})
	err := ingest.NewHideTail(h.events.Log(), h.kafka, since, h.hide, h.hear, h.log).Run(ctx)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, workers.Stop(context.WithoutCancel(ctx)))
}

// followHides has a feed hear of hides while Redis is away.
func followHides() fx.Option {
	return fx.Module("hides elsewhere", fx.Invoke(
		func(lc fx.Lifecycle, f *feed.Feed, client *redis.Client, own feed.Config, cfg events.Config, k kafka.Config,
			book *keys.Book, clock core.Clock, failure worker.Failure, log *zap.Logger,
		) {
			follower := hideFollower{
				redis: client, events: cfg, kafka: k, before: own.Cache.RefreshOld + time.Minute, hear: book.Hear,
				clock: clock,
				log:   log,
				hide:  func(user core.ID, hidden []core.HiddenPost) { f.HideHere(user, hidden) },
			}
			workers := worker.NewGroup(failure)
			lc.Append(fx.Hook{
				OnStart: func(context.Context) error {
					workers.Go("hides elsewhere", follower.run)
					return nil
				},
				OnStop: workers.Stop,
			})
		}))
}
