package feed

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/absent"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/published"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/recentedges"
	"github.com/feedrank/feedrank/modules/feed/refill"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/feed/token"
	"github.com/feedrank/feedrank/modules/feed/tuning"
	"github.com/feedrank/feedrank/modules/feed/updates"
	"github.com/feedrank/feedrank/modules/feed/viewer"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/eventstream"
	"github.com/feedrank/feedrank/modules/platform/ops"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Module provides the feed and the hot set behind it; httpapi.Module has its calls. It needs rank.Config, graph.Tables
// and guards.Guards from the program.
func Module() fx.Option {
	return fx.Module("feed",
		fx.Provide(
			rank.NewLiveOf, newAbsent, newPrivate, newOptedOut, newHot, newRecentEdges, newFeed, newTuner, newStreams,
			newUpdates,
			func(cfg Config, client *redis.Client) *store.Store { return store.New(cfg.Store, client) },
			fx.Annotate(func(s *absent.Set) ops.Check { return ops.Check{Name: "absent people", Probe: s.Check} },
				fx.ResultTags(`group:"checks"`)),
			fx.Annotate(func(s absent.Private) ops.Check {
				return ops.Check{Name: "private accounts", Probe: s.Check}
			}, fx.ResultTags(`group:"checks"`)),
			fx.Annotate(func(s absent.OptedOut) ops.Check {
				return ops.Check{Name: "people who opted out", Probe: s.Check}
			}, fx.ResultTags(`group:"checks"`)),
			fx.Annotate(func(s *hot.Set) ops.Check { return ops.Check{Name: "hot set", Probe: s.Check} },
				fx.ResultTags(`group:"checks"`)),
		),
	)
}

// SignalsModule provides what the consumers tell of viewers.
func SignalsModule() fx.Option {
	return fx.Module("feed signals", fx.Provide(
		func(cfg Config) (*token.Sessions, error) { return token.NewSessions(cfg.CursorSecrets) },
		func(lc fx.Lifecycle, cfg Config, client *redis.Client, reg prometheus.Registerer) *viewer.Signals {
			s := store.New(cfg.Store, client)
			workers := worker.NewGroup(nil)
			lc.Append(fx.Hook{
				OnStart: func(context.Context) error {
					workers.Go("write hides that redis did not take",
						func(ctx context.Context) error { return s.Pay(ctx, forgotten(client)) })
					return nil
				},
				OnStop: workers.Stop,
			})
			return viewer.NewSignals(s, reg)
		}))
}

// forgotten has the refill read everybody's marks from the raw events.
func forgotten(client *redis.Client) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := refill.NewWitnesses(client).Begin(ctx)
		return err
	}
}

// RefillModule provides the job that gives Redis back what it lost; the program puts it in its schedule. It
// needs core.Erased from the program.
func RefillModule() fx.Option {
	return fx.Module("refill", fx.Provide(
		refill.NewWitnesses,
		func(cfg Config, db *clickhouse.Client, client *redis.Client, w *refill.Witnesses, erased core.Erased,
			clock core.Clock, reg prometheus.Registerer, log *zap.Logger,
		) *refill.Job {
			return refill.NewJob(cfg.Store, refill.NewClickHouse(db), store.New(cfg.Store, client), w, erased, clock,
				reg, log)
		},
	))
}

type absentIn struct {
	fx.In
	Lifecycle  fx.Lifecycle
	Config     Config
	ClickHouse *clickhouse.Client
	Postgres   postgres.Reader
	Tables     graph.Tables
	Names      graph.Names
	Guards     guards.Guards
	Clock      core.Clock
	Registry   prometheus.Registerer
	Log        *zap.Logger
}

// app has the app's own table read, where ClickHouse is away.
func (in absentIn) app(read func(*graph.Postgres, context.Context, int) ([]core.ID, error)) absent.Source {
	app := graph.NewPostgres(in.Postgres, in.Tables, in.Config.MaxEdges, in.Names)
	return func(ctx context.Context, limit int) (people []core.ID, err error) {
		err = in.Guards.Postgres.Do(ctx, func(ctx context.Context) (err error) {
			people, err = read(app, ctx, limit)
			return err
		})
		return people, err
	}
}

func newAbsent(in absentIn) *absent.Set {
	var source absent.Source
	if in.Tables.Users.Table != "" {
		source = absent.ClickHouse(in.ClickHouse)
	}
	set := absent.New(in.Config.Absent, in.Config.Hot.TrustChanges, source, in.app((*graph.Postgres).Absent),
		in.Clock, in.Registry, in.Log)
	in.Lifecycle.Append(fx.Hook{OnStart: set.Start, OnStop: set.Stop})
	return set
}

func newPrivate(in absentIn) absent.Private {
	var source absent.Source
	if in.Tables.Users.Private != "" {
		source = absent.ClickHousePrivate(in.ClickHouse)
	}
	set := absent.NewPrivate(in.Config.Absent, in.Config.Hot.TrustChanges, source, in.app((*graph.Postgres).Private),
		in.Clock, in.Registry, in.Log)
	if set.Set != nil {
		in.Lifecycle.Append(fx.Hook{OnStart: set.Start, OnStop: set.Stop})
	}
	return set
}

func newOptedOut(in absentIn) absent.OptedOut {
	var source absent.Source
	if in.Tables.Users.NoDiscovery != "" {
		source = absent.ClickHouseOptedOut(in.ClickHouse)
	}
	set := absent.NewOptedOut(in.Config.Absent, in.Config.Hot.TrustChanges, source, in.app((*graph.Postgres).OptedOut),
		in.Clock, in.Registry, in.Log)
	if set.Set != nil {
		in.Lifecycle.Append(fx.Hook{OnStart: set.Start, OnStop: set.Stop})
	}
	return set
}

func newRecentEdges(tables graph.Tables, clock core.Clock, reg prometheus.Registerer) *recentedges.Edges {
	return recentedges.New(clock, reg).WithMutuals(tables.Posts.Mutuals)
}

func newHot(lc fx.Lifecycle, cfg Config, client *clickhouse.Client, from core.CountedFrom, ranking *rank.Live,
	load hot.LoadNames, people *absent.Set, private absent.Private, optedOut absent.OptedOut, clock core.Clock,
	reg prometheus.Registerer, log *zap.Logger,
) *hot.Set {
	set := hot.New(cfg.Hot, hot.NewClickHouse(client, from).Naming(load), ranking, clock, hot.NewMetrics(reg), log)
	set.KeepOut(cfg.Labels.KeptOut())
	set.LeaveOut(absent.Sets{Absent: people, Private: private.Set, OptedOut: optedOut.Set})
	set.ObserveAge(reg, clock)
	lc.Append(fx.Hook{OnStart: set.Start, OnStop: set.Stop})
	return set
}

type tunerIn struct {
	fx.In
	Lifecycle fx.Lifecycle
	Postgres  *pgxpool.Pool
	Live      *rank.Live
	Ranking   rank.Config
	File      tuning.File `optional:"true"`
	Log       *zap.Logger
}

func newTuner(in tunerIn) *tuning.Tuner {
	tuner := tuning.New(in.Postgres, in.Live, in.Ranking, in.Log)
	tuner.Follow(in.File)
	in.Lifecycle.Append(fx.Hook{OnStart: tuner.Start, OnStop: tuner.Stop})
	return tuner
}

type feedIn struct {
	fx.In
	Lifecycle   fx.Lifecycle
	Config      Config
	From        core.CountedFrom
	Ranking     *rank.Live
	Hot         *hot.Set
	RecentEdges *recentedges.Edges
	Absent      *absent.Set
	Private     absent.Private
	OptedOut    absent.OptedOut
	ClickHouse  *clickhouse.Client
	Postgres    postgres.Reader
	Tables      graph.Tables
	Names       graph.Names
	Redis       *redis.Client
	Store       *store.Store
	Lists       published.Source
	Guards      guards.Guards
	Keys        core.Names
	Load        hot.LoadNames
	Clock       core.Clock
	Registry    prometheus.Registerer
	Log         *zap.Logger
}

func newFeed(in feedIn) (*Feed, error) {
	fallback := graph.NewPostgres(in.Postgres, in.Tables, in.Config.MaxEdges, in.Names)
	in.Registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "feedrank_feed_odd_rows_total",
		Help: "Posts left out when they were read from PostgreSQL, because they have no author, or no time that can be.",
	}, func() float64 { return float64(fallback.Odd()) }))
	edges := graph.NewClickHouse(in.ClickHouse, in.From, in.Clock, in.Config.MaxEdges, in.Config.MaxAffinity).
		WithMutuals(in.Tables.Posts.Mutuals)
	f, err := New(Params{
		Config: in.Config, Ranking: in.Ranking, Hot: in.Hot, RecentEdges: in.RecentEdges,
		People:     absent.Sets{Absent: in.Absent, Private: in.Private.Set, OptedOut: in.OptedOut.Set},
		Restricted: in.Tables.Restricts(),
		Store:      in.Store, Graph: edges, Relations: edges, Engaged: edges, Fallback: fallback,
		Weekly: hot.NewClickHouse(in.ClickHouse, in.From).KeepingOut(in.Config.Labels.KeptOut()),
		Direct: hot.NewClickHouse(in.ClickHouse, in.From).Naming(in.Load),
		Lists:  in.Lists, Guards: in.Guards, Names: in.Keys, Clock: in.Clock, Registry: in.Registry, Log: in.Log,
		Forgotten: forgotten(in.Redis),
	})
	if err != nil {
		return nil, err
	}
	in.Lifecycle.Append(fx.Hook{OnStart: f.Start, OnStop: f.Stop})
	return f, nil
}

func newStreams(lc fx.Lifecycle, cfg Config, clock core.Clock, reg prometheus.Registerer) *eventstream.Streams {
	s := eventstream.New(cfg.Updates.Streams(), clock, reg)
	lc.Append(fx.Hook{OnStart: s.Start, OnStop: s.Stop})
	return s
}

func newUpdates(lc fx.Lifecycle, cfg Config, f *Feed, set *hot.Set, clock core.Clock, reg prometheus.Registerer,
) *updates.Updates {
	u := updates.New(cfg.Updates, f, set, clock, reg)
	lc.Append(fx.Hook{OnStart: u.Start, OnStop: u.Stop})
	return u
}
