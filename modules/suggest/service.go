package suggest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// ServedFrom says where an answer came from.
type ServedFrom string

// The order of answers. From Stale on they are degraded.
const (
	FromCache    ServedFrom = "cache"
	FromComputed ServedFrom = "clickhouse"
	FromStale    ServedFrom = "stale"
	FromPopular  ServedFrom = "popular"  // popular people, without those to whom the user has a relation by PostgreSQL
	FromPostgres ServedFrom = "postgres" // people who posted lately
	FromNothing  ServedFrom = "nothing"  // nobody can say whom the user follows and blocks: so nobody is suggested
)

// maxItems is how many suggestions are kept of a user: some are dismissed or followed meanwhile.
const maxItems = 100

// Answer is what a user gets.
type Answer struct {
	Items      []Item
	ServedFrom ServedFrom
	Degraded   bool
}

// Service suggests people to follow.
type Service struct {
	cfg          Config
	source       Source
	fallback     Fallback
	gates        Gates
	store        *Store
	popular      *popularList
	circles      *circles
	deleted      *deleted
	departed     *departed
	leftOut      LeftOut
	local        *lru.Cache[core.ID, state] // for when Redis is away
	singleflight singleflight.Group
	places       chan struct{} // one for each computation at once
	clock        core.Clock
	log          *zap.Logger
	metrics      *metrics
}

// Params are what a Service needs.
type Params struct {
	Config     Config
	Source     Source
	Fallback   Fallback
	Gates      Gates
	Store      *Store
	LeftOut    LeftOut // nil: nobody is
	Users      bool    // the app's table of users is copied
	Clock      core.Clock
	Log        *zap.Logger
	Registerer prometheus.Registerer
}

// New makes a service.
func New(p Params) (*Service, error) {
	local, err := lru.New[core.ID, state](p.Config.Local)
	if err != nil {
		return nil, fmt.Errorf("suggest.local: %w", err)
	}
	m := newMetrics(p.Registerer)
	circles, err := newCircles(&p.Config, p.Clock, m)
	if err != nil {
		return nil, err
	}
	if p.LeftOut == nil {
		p.LeftOut = func(core.ID) bool { return false }
	}
	return &Service{
		cfg: p.Config, source: p.Source, fallback: p.Fallback, gates: p.Gates, store: p.Store, clock: p.Clock,
		log:     p.Log.Named("suggest"),
		popular: &popularList{redis: p.Store.redis, gate: p.Gates.Redis, clock: p.Clock}, local: local,
		circles: circles, deleted: &deleted{
			source: p.Source, clock: p.Clock, every: p.Config.Fresh / 10,
			mapped: p.Users,
		},
		departed: &departed{store: p.Store, gate: p.Gates.Redis}, leftOut: p.LeftOut,
		places: make(chan struct{}, p.Config.MaxConcurrent), metrics: m,
	}, nil
}

// Suggest answers a user. It never fails: it says what the answer is made of.
func (s *Service) Suggest(ctx context.Context, user core.ID, limit int) Answer {
	known, err := s.loadViewer(ctx, user)
	withoutRedis := err != nil
	answer := s.answer(ctx, user, known)
	gone := s.departed.now(ctx)
	answer.Items = s.shown(answer.Items, limit, func(id core.ID) bool {
		return id == user || known.barred[id] || gone[id] || s.leftOut(id)
	}, known.known)
	answer.Degraded = answer.Degraded || withoutRedis
	s.metrics.answers.WithLabelValues(string(answer.ServedFrom)).Inc()
	return answer
}

func (s *Service) answer(ctx context.Context, user core.ID, known state) Answer {
	if known.entry != nil && s.clock.Now().Before(known.entry.FreshUntil) {
		return Answer{Items: known.entry.Items, ServedFrom: FromCache}
	}
	e, err := s.compute(ctx, user)
	if err == nil {
		return Answer{Items: e.Items, ServedFrom: FromComputed}
	}
	tracing.Log(ctx, s.log).Debug("suggestions were not computed", zap.Stringer("user", user), zap.Error(err))
	if known.entry != nil {
		return Answer{Items: known.entry.Items, ServedFrom: FromStale, Degraded: true}
	}
	return s.withoutSource(ctx, user)
}

// shown is a list without those of whom the user must not hear, be it as a suggestion or as a reason (who is blocked,
// muted or gone), and without whom they know by now.
func (s *Service) shown(items []Item, limit int, barred func(core.ID) bool, known map[core.ID]bool) []Item {
	out := make([]Item, 0, min(limit, len(items)))
	for _, item := range items {
		if len(out) == limit {
			break
		}
		if barred(item.User) || known[item.User] {
			continue
		}
		reason := &item.Reason
		named := len(reason.Users)
		reason.Users = slices.DeleteFunc(slices.Clone(reason.Users), barred)
		reason.Count -= int64(named - len(reason.Users))
		if named > 0 && reason.Count <= 0 { // nobody is left who speaks for them
			continue
		}
		if !s.cfg.NameOthers {
			reason.Users = nil
		}
		out = append(out, item)
	}
	return out
}

// loadViewer is what is known of a user, from this replica's memory while Redis is away.
func (s *Service) loadViewer(ctx context.Context, user core.ID) (state, error) {
	var known state
	err := s.gates.Redis.Do(ctx, func(ctx context.Context) (err error) {
		known, err = s.store.load(ctx, user)
		return err
	})
	if err != nil {
		known, _ = s.local.Get(user)
		return known, err
	}
	s.local.Add(user, known)
	return known, nil
}

// Warm computes a user's suggestions ahead, if they are not fresh.
func (s *Service) Warm(ctx context.Context, user core.ID) error {
	known, err := s.store.load(ctx, user)
	if err != nil {
		return err
	}
	if known.entry != nil && s.clock.Now().Before(known.entry.FreshUntil) {
		return nil
	}
	_, err = s.compute(ctx, user)
	return err
}

var errFull = errors.New("too many computations at once")

// compute makes a user's list, once for all who ask meanwhile, and keeps it.
func (s *Service) compute(ctx context.Context, user core.ID) (*entry, error) {
	v, err, _ := s.singleflight.Do(user.String(), func() (any, error) {
		select {
		case s.places <- struct{}{}:
			defer func() { <-s.places }()
		default:
			s.metrics.refused.Inc()
			return nil, errFull
		}
		// Others may wait for this: it does not end with the request that began it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Budget)
		defer cancel()
		watch := core.StartStopwatch()
		var items []Item
		err := s.gates.Source.Do(ctx, func(ctx context.Context) (err error) {
			items, err = s.items(ctx, user)
			return err
		})
		s.metrics.seconds.Observe(watch.Elapsed().Seconds())
		if err != nil {
			return nil, err
		}
		e := &entry{ComputedAt: s.clock.Now(), FreshUntil: s.store.freshUntil(len(items)), Items: items}
		if err := s.gates.Redis.Do(ctx,
			func(ctx context.Context) error { return s.store.save(ctx, user, e) }); err != nil {
			s.metrics.unsaved.Inc()
			known, _ := s.local.Get(user)
			s.local.Add(user, state{entry: e, barred: known.barred, known: known.known})
		}
		return e, nil
	})
	e, _ := v.(*entry)
	return e, err
}

// Dismiss leaves somebody out from now on.
func (s *Service) Dismiss(ctx context.Context, user, other core.ID) error {
	return s.gates.Redis.Do(ctx, func(ctx context.Context) error { return s.store.Dismiss(ctx, user, other) })
}

// Undismiss lets somebody who was dismissed be suggested again.
func (s *Service) Undismiss(ctx context.Context, user, other core.ID) error {
	return s.gates.Redis.Do(ctx, func(ctx context.Context) error { return s.store.Undismiss(ctx, user, other) })
}
