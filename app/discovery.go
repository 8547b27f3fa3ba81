package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/cdc/consumer"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/erase"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/absent"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/published"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/refill"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/jobs"
	"github.com/feedrank/feedrank/modules/platform/admission"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/suggest"
	"github.com/feedrank/feedrank/modules/trending"
	"github.com/feedrank/feedrank/modules/warm"
)

// listeners are told of every change that the CDC consumer applied.
type listeners []consumer.Observer

// Changed tells them all, whatever one of them says.
func (l listeners) Changed(ctx context.Context, changes []core.Change) error {
	var failures []error
	for _, one := range l {
		failures = append(failures, one.Changed(ctx, changes))
	}
	return errors.Join(failures...)
}

type listenersIn struct {
	fx.In
	All []consumer.Observer `group:"changes"`
}

func changes() fx.Option {
	return fx.Provide(func(in listenersIn) consumer.Observer { return listeners(in.All) })
}

func suggestSignals() fx.Option {
	return fx.Provide(fx.Annotate(func(cfg suggest.Config, client *redis.Client, clock core.Clock) consumer.Observer {
		return suggest.NewStore(cfg, client, clock)
	}, fx.ResultTags(`group:"changes"`)))
}

// suggestions are what users ask for.
func suggestions() fx.Option {
	return fx.Options(suggest.Module(), fx.Provide(
		func(cfg suggest.Config, tables cdc.Config, db postgres.Reader, names graph.Names, before guards.Guards,
			clock core.Clock, feeds feed.Config,
		) suggest.Fallback {
			return appGraph{
				graph.NewPostgres(db, tablesOf(tables.Tables), cfg.MaxEdges, names), before.Postgres, cfg.MaxEdges,
				clock, feeds.Hot.ClockTolerance,
			}
		},
		func(in goneIn) suggest.LeftOut { return in.has },
		func(tables cdc.Config) suggest.Users { return tables.Tables.User.Table != "" },
		fx.Annotate(func(s *suggest.Service) warm.Warmer { return s }, fx.ResultTags(`group:"warmers"`)),
	))
}

// goneIn are those who are suggested to nobody, whatever was computed before.
type goneIn struct {
	fx.In
	Erased *erase.List
	// the feed's, where it runs; suggestions also hear of them from the consumer
	Absent   *absent.Set     `optional:"true"`
	OptedOut absent.OptedOut `optional:"true"`
}

func (g goneIn) has(user core.ID) bool {
	return g.Erased.Has(user) || g.Absent.Has(user) || g.OptedOut.Has(user)
}

// appGraph is the app's own database, as suggestions ask it.
type appGraph struct {
	graph    *graph.Postgres
	guard    guards.Guard
	maxEdges int // of each kind
	clock    core.Clock
	ahead    time.Duration // a post that is dated so far ahead, or less, is one of now
}

// Edges implements suggest.Fallback.
func (a appGraph) Edges(ctx context.Context, viewer core.ID) (edges []suggest.Edge, complete bool, err error) {
	var authors []reserve.Author
	err = a.guard.Do(ctx, func(ctx context.Context) (err error) {
		authors, err = a.graph.Edges(ctx, viewer)
		return err
	})
	counts := map[reserve.Relation]int{}
	complete = true
	for _, author := range authors {
		counts[author.Relation]++
		complete = complete && counts[author.Relation] < a.maxEdges
		edges = append(edges, suggest.Edge{Other: author.ID, Follows: author.Relation == reserve.Follows})
	}
	return edges, complete, err
}

// recentPosts is how many of the latest posts say who is active.
const recentPosts = 500

// Active implements suggest.Fallback.
func (a appGraph) Active(ctx context.Context, viewer core.ID) (users []core.ID, err error) {
	err = a.guard.Do(ctx, func(ctx context.Context) error {
		posts, err := a.graph.Recent(ctx, viewer, a.clock.Now().Add(a.ahead), recentPosts)
		for _, p := range posts {
			users = append(users, p.AuthorID)
		}
		return err
	})
	return users, err
}

// warming warms everything that is kept of a user.
func warming() fx.Option {
	return fx.Options(warm.WorkerModule(), fx.Provide(
		func(in warmersIn) (warm.Warmer, warm.Load) {
			return warmers(in.All), append(loads(in.Loads), busyWhileOpen{in.Gates.Source}, pressed{in.Gate})
		},
	))
}

// warmedFeeds are refreshed for users who are likely to come, while the replica has little to compute.
func warmedFeeds() fx.Option {
	return fx.Provide(
		fx.Annotate(func(f *feed.Feed) warm.Warmer { return f }, fx.ResultTags(`group:"warmers"`)),
		fx.Annotate(func(f *feed.Feed) warm.Load { return f }, fx.ResultTags(`group:"loads"`)),
	)
}

type warmersIn struct {
	fx.In
	All   []warm.Warmer `group:"warmers"`
	Loads []warm.Load   `group:"loads"`
	Gates suggest.Gates
	Gate  *admission.Gate
}

// pressed has something better to do while requests are refused or wait.
type pressed struct{ gate *admission.Gate }

// Busy implements warm.Load.
func (p pressed) Busy() bool { return p.gate.Overloaded() }

// loads are busy as soon as one of them is.
type loads []warm.Load

// Busy implements warm.Load.
func (l loads) Busy() bool { return slices.ContainsFunc(l, warm.Load.Busy) }

// publishedLists are the trending job's lists, as the feed reads them.
type publishedLists struct{ lists *trending.Published }

// Trending implements published.Source.
func (p publishedLists) Trending(ctx context.Context, window string) (published.List, error) {
	list, err := p.lists.Read(ctx, trending.Window(window))
	if errors.Is(err, trending.ErrNone) {
		return published.List{}, nil
	}
	if err != nil {
		return published.List{}, err
	}
	out := published.List{Suppressed: list.Refused, Posts: make([]hot.Ranked, len(list.Posts))}
	for i, p := range list.Posts {
		out.Posts[i] = hot.Ranked{
			Post:  hot.Post{ID: p.ID, Author: p.Author, Created: p.CreatedAt.UnixMicro()},
			Value: p.Score, Labels: core.LabelsOf(p.Labels...),
		}
	}
	return out, nil
}

func trendingLists() fx.Option {
	return fx.Provide(func(cfg trending.Config, client *redis.Client) published.Source {
		return publishedLists{trending.NewPublished(cfg, client)}
	})
}

type warmers []warm.Warmer

// Warm warms one after the other, whatever becomes of one of them.
func (w warmers) Warm(ctx context.Context, user core.ID) error {
	var failures []error
	for _, one := range w {
		failures = append(failures, one.Warm(ctx, user))
	}
	return errors.Join(failures...)
}

// busyWhileOpen has something better to do while ClickHouse is in trouble.
type busyWhileOpen struct{ gate suggest.Gate }

// Busy implements warm.Load.
func (b busyWhileOpen) Busy() bool { return b.gate.Open() }

// The jobs, with their schedules.

func trendingJob() fx.Option {
	return fx.Options(trending.Module(), trending.ReaderModule(), fx.Provide(
		func(cfg rank.Config, of feed.Config) trending.Weights {
			e := cfg.Engagement
			return trending.Weights{
				Like: e.Like, Comment: e.Comment, Share: e.Share, Dislike: e.Dislike,
				PriorInteractions: e.PriorInteractions, PriorExposures: e.PriorExposures,
				MaxRate: e.MaxRate, MinPeople: e.MinPeople, PeopleShare: e.PeopleShare,
				Decay: cfg.TrendingDecay, WeeklyDecay: cfg.WeeklyDecay, KeptOut: of.Labels.KeptOut(),
			}
		},
		fx.Annotate(func(cfg trending.Config, job *trending.Job) jobs.Job {
			return jobs.Job{Name: "trending", Every: cfg.Every, Jitter: 5, Timeout: cfg.Timeout, Run: job.Run}
		}, fx.ResultTags(`group:"jobs"`)),
	))
}

func suggestJob() fx.Option {
	return fx.Provide(
		func(source *suggest.ClickHouse, tables cdc.Config, client *redis.Client) *suggest.PopularJob {
			return suggest.NewPopularJob(source, tables.Tables.User.Table != "", client)
		},
		suggest.NewClickHouse,
		fx.Annotate(func(cfg suggest.Config, job *suggest.PopularJob) jobs.Job {
			return jobs.Job{
				Name: "popular-users", Every: cfg.Popular.Every, Jitter: 10, Timeout: cfg.Popular.Timeout,
				Run: job.Run,
			}
		}, fx.ResultTags(`group:"jobs"`)),
	)
}

func warmJob() fx.Option {
	return fx.Options(warm.ListModule(), fx.Provide(fx.Annotate(func(cfg warm.Config, list *warm.List) jobs.Job {
		return jobs.Job{Name: "warm", Every: cfg.Every, Jitter: 10, Timeout: cfg.Timeout, Run: list.Run}
	}, fx.ResultTags(`group:"jobs"`))))
}

func refillJob() fx.Option {
	return fx.Options(feed.RefillModule(), fx.Provide(
		fx.Annotate(func(cfg feed.Config, job *refill.Job) jobs.Job {
			return jobs.Job{
				Name: "refill", Every: cfg.Refill.Every, Jitter: 10, Timeout: cfg.Refill.Timeout,
				Run: job.Run,
			}
		}, fx.ResultTags(`group:"jobs"`)),
	))
}
