package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/IBM/sarama"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/breaker"
	"github.com/feedrank/feedrank/modules/cdc"
	cdcconsumer "github.com/feedrank/feedrank/modules/cdc/consumer"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/tail"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/deadletter"
	"github.com/feedrank/feedrank/modules/erase"
	"github.com/feedrank/feedrank/modules/events"
	"github.com/feedrank/feedrank/modules/events/ingest"
	"github.com/feedrank/feedrank/modules/events/partition"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/absent"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/recentedges"
	"github.com/feedrank/feedrank/modules/feed/token"
	"github.com/feedrank/feedrank/modules/feed/updates"
	"github.com/feedrank/feedrank/modules/feed/viewer"
	"github.com/feedrank/feedrank/modules/keys"
	"github.com/feedrank/feedrank/modules/platform/admission"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/modules/replicas"
	"github.com/feedrank/feedrank/modules/suggest"
)

// The adapters: where one feature meets another. Each declares what it needs as a small interface; here
// is who fills it.

// deadLetters gives the consumers their queues.
func deadLetters() fx.Option {
	return fx.Module("dead letters", deadletter.Module(), fx.Provide(
		func(cfg deadletter.Config, k kafka.Config, p *kafka.Producer, clock core.Clock,
			m *deadletter.Metrics,
		) partition.DeadLetters {
			return deadletter.NewPublisher(k.Topic(cfg.EventsTopic), Version, p, clock, m)
		},
		func(cfg deadletter.Config, k kafka.Config, p *kafka.Producer, clock core.Clock,
			m *deadletter.Metrics,
		) cdcconsumer.DeadLetters {
			return deadletter.NewPublisher(k.Topic(cfg.CDCTopic), Version, p, clock, m)
		},
	))
}

// signals tells the feed what the consumers applied: what viewers saw and hid, and whom they follow
// and block.
func signals() fx.Option {
	return fx.Options(feed.SignalsModule(), fx.Provide(
		func(s *viewer.Signals) partition.Observer { return s },
		func(s *token.Sessions) partition.Sessions { return s },
		fx.Annotate(func(s *viewer.Signals, cfg cdc.Config) cdcconsumer.Observer {
			return s.WithMutuals(cfg.Tables.HasMutuals())
		}, fx.ResultTags(`group:"changes"`)),
	))
}

// noop stands in for the signals where there is no feed.
type noop struct{}

func (noop) Observe(context.Context, []core.Event) error { return nil }

// Hide implements ingest.HideListener.
func (noop) Hide(context.Context, core.ID, []core.HiddenPost) {}

// hides tells the feed at once what users hide.
func hides() fx.Option {
	return fx.Options(fx.Provide(func(f *feed.Feed, live *updates.Updates) ingest.HideListener {
		return hideListener{f, live}
	}), followHides())
}

// hideListener tells open streams, too.
type hideListener struct {
	feed *feed.Feed
	live *updates.Updates
}

// Hide implements ingest.HideListener.
func (h hideListener) Hide(ctx context.Context, user core.ID, hidden []core.HiddenPost) {
	h.feed.Hide(ctx, user, hidden)
	h.live.ViewerChanged(user)
}

func noHides() fx.Option {
	return fx.Provide(func() ingest.HideListener { return noop{} })
}

func noSignals() fx.Option {
	return fx.Provide(func() partition.Observer { return noop{} })
}

// breakers are the guards as the feed asks for them.
func breakers() fx.Option {
	return fx.Options(breaker.Module(), fx.Provide(
		func(s *breaker.Set, gate *admission.Gate) guards.Guards {
			return guards.Guards{ClickHouse: s.ClickHouse, Postgres: s.Postgres, Redis: s.Redis, Limiter: gate}
		},
		func(s *breaker.Set) keys.Guard { return s.ClickHouse },
		func(s *breaker.Set) replicas.Breakers { return sharedBreakers{s} },
		func(s *breaker.Set) suggest.Gates { return suggest.Gates{Source: s.Discovery, Redis: s.Redis} },
		func(s *breaker.Set, p *kafka.Producer) ingest.Producer { return guardedProducer{p, s.Kafka} },
	))
}

// noBreakers lets every call through.
func noBreakers() fx.Option {
	return fx.Options(fx.Supply(suggest.Gates{Source: suggest.AlwaysAsk{}, Redis: suggest.AlwaysAsk{}}),
		fx.Provide(func(gate *admission.Gate) guards.Guards {
			return guards.Guards{
				ClickHouse: guards.Unguarded{}, Postgres: guards.Unguarded{}, Redis: guards.Unguarded{},
				Limiter: gate,
			}
		}, func(p *kafka.Producer) ingest.Producer { return p }, func() replicas.Breakers { return nil }))
}

// told makes this process known to the others.
func told() fx.Option {
	return fx.Options(replicas.Module(), fx.Provide(func(roles processRoles) replicas.Process {
		return replicas.Process{Version: Version, Roles: roles}
	}))
}

// sharedBreakers are this process's, for what operators force everywhere.
type sharedBreakers struct{ set *breaker.Set }

// Status implements replicas.Breakers.
func (s sharedBreakers) Status() any { return s.set.Status() }

// Force implements replicas.Breakers.
func (s sharedBreakers) Force(dependency, mode string) bool {
	b, ok := s.set.ByName(dependency)
	switch {
	case !ok:
	case mode == "reset":
		b.Reset()
	default:
		b.Force(breaker.Mode(mode))
	}
	return ok
}

// guardedProducer writes what clients sent while Kafka is well, and refuses at once while it is not.
type guardedProducer struct {
	producer *kafka.Producer
	guard    *breaker.Breaker
}

// Send implements ingest.Producer.
func (g guardedProducer) Send(ctx context.Context, messages ...*sarama.ProducerMessage) error {
	return g.guard.Do(ctx, func(ctx context.Context) error { return g.producer.Send(ctx, messages...) })
}

// hotChanges tells the feed as soon as Kafka has them: of posts that are new, edited or deleted, of
// users who are suspended or come back, and of whom viewers follow, block and mute.
func hotChanges() fx.Option {
	return fx.Module("hot changes", fx.Invoke(
		func(lc fx.Lifecycle, cfg cdc.Config, own feed.Config, k kafka.Config, set *hot.Set, edges *recentedges.Edges,
			people *absent.Set, private absent.Private, optedOut absent.OptedOut, live *updates.Updates,
			erased *erase.List, book *keys.Book, clock core.Clock, failure worker.Failure, log *zap.Logger,
		) error {
			m, err := cfg.Mapping(k)
			if err != nil {
				return err
			}
			// Changes from before the start are read again: what the consumer had not yet written when
			// the set was loaded from ClickHouse. A change is trusted for as long as ClickHouse may lag.
			posts := tail.Posts(m, k, clock.Now().Add(-own.Hot.TrustChanges), withoutErased(erased, set.Apply), log).
				Hearing(book.Hear)
			// No cache entry is older than this; what is not cached is read from a graph that has it.
			viewers := tail.Edges(m, k, clock.Now().Add(-own.Store.KeepEntry-own.Hot.TrustChanges),
				func(changes []core.Change) {
					edges.Apply(changes)
					live.Hear(changes)
				}, log).Hearing(book.Hear)
			users := tail.Users(m, k, clock.Now().Add(-own.Hot.TrustChanges), func(changes []core.Change) {
				back := slices.Concat(people.Apply(changes), private.Apply(changes), optedOut.Apply(changes))
				for _, author := range back {
					set.Return(author)
				}
				live.Hear(changes)
			}, log).Hearing(book.Hear)
			workers := worker.NewGroup(failure)
			lc.Append(fx.Hook{
				OnStart: func(context.Context) error {
					workers.Go("changes of posts", posts.Run)
					workers.Go("changes of viewers", viewers.Run)
					if m.Of(mapping.User) != nil {
						workers.Go("changes of users", users.Run)
					}
					return nil
				},
				OnStop: workers.Stop,
			})
			return nil
		}))
}

// topics are those of every module, whether or not this process runs it.
func topics(cfg config.Config) ([]kafka.TopicSpec, error) {
	changes, err := cdc.TopicSpecs(cfg.CDC, cfg.Kafka)
	if err != nil {
		return nil, err
	}
	all := append(events.TopicSpecs(cfg.Events, cfg.Kafka), changes...)
	all = append(all, deadletter.TopicSpecs(cfg.DeadLetter, cfg.Kafka)...)
	for i, topic := range all {
		if slices.ContainsFunc(all[:i], func(other kafka.TopicSpec) bool { return other.Name == topic.Name }) {
			return nil, fmt.Errorf("topic %s is named twice, by two of events.topic, cdc.tables and dead_letters: give each one of its own", topic.Name)
		}
	}
	return all, nil
}
