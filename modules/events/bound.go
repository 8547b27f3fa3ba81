package events

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/ratelimit"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// BoundConfig says how much one user's events can move one post. What is beyond is rejected before it is
// in Kafka, so that what is stored counts and nothing has to be decided again.
type BoundConfig struct {
	LikesPerDay    int `koanf:"likes_per_day" validate:"gte=0,lte=10000"`    // likes of one user on one post, and as many unlikes; 0: no bound
	CommentsPerDay int `koanf:"comments_per_day" validate:"gte=0,lte=10000"` // comments of one user on one post; 0: no bound
	SharesPerDay   int `koanf:"shares_per_day" validate:"gte=0,lte=10000"`   // shares of one post by one user; 0: no bound
	OthersPerHour  int `koanf:"others_per_hour" validate:"gte=0,lte=10000"`  // of each other action, such as impression, of one user on one post; 0: no bound
	PerHour        int `koanf:"per_hour" validate:"gte=0,lte=10000000"`      // events of one user in all; 0: no bound
	MaxKeys        int `koanf:"max_keys" validate:"gte=1000,lte=100000000"`  // users with a post that are counted at once, for each bound, 50 bytes each; more go uncounted
}

// DefaultBoundConfig is more than a person does, and little enough that one account moves nothing: in a day
// a post gets 3 likes, 20 comments and 5 shares of it at most, which weigh as much as 58 likes.
func DefaultBoundConfig() BoundConfig {
	return BoundConfig{LikesPerDay: 3, CommentsPerDay: 20, SharesPerDay: 5, OthersPerHour: 20, PerHour: 20_000, MaxKeys: 500_000}
}

// rejectTooMany is the code of what one user has done too often.
const rejectTooMany = "too_many"

// Bound holds one user's events to what they can move. The replicas count together through Redis, and each
// for itself while Redis is gone.
type Bound struct {
	likes, comments, shares, others, all *ratelimit.Limiter
	sync                                 *ratelimit.Sync
}

// NewBound makes a bound. Without a running Run it holds in this process alone.
func NewBound(cfg BoundConfig, client *redis.Client, clock core.Clock, reg prometheus.Registerer, log *zap.Logger) *Bound {
	limiter := func(name string, limit int, window time.Duration) *ratelimit.Limiter {
		return ratelimit.NewLimiter(ratelimit.Rule{Name: name, Limit: limit, Window: window, Sliding: true, MaxKeys: cfg.MaxKeys}, clock)
	}
	const day = 24 * time.Hour
	b := &Bound{
		likes: limiter("likes", cfg.LikesPerDay, day), comments: limiter("comments", cfg.CommentsPerDay, day),
		shares: limiter("shares", cfg.SharesPerDay, day), others: limiter("other_events", cfg.OthersPerHour, time.Hour),
		all: limiter("events", cfg.PerHour, time.Hour),
	}
	limiters := []*ratelimit.Limiter{b.likes, b.comments, b.shares, b.others, b.all}
	ratelimit.Register(reg, limiters...)
	b.sync = ratelimit.NewSync(client, func(err error) {
		log.Debug("the bounds of events hold in this replica alone", zap.Error(err))
	}, limiters...)
	return b
}

// Run tells the replicas of each other's counts until ctx ends.
func (b *Bound) Run(ctx context.Context) error { return b.sync.Run(ctx) }

// of is the limiter of an action.
func (b *Bound) of(a core.Action) *ratelimit.Limiter {
	switch a {
	case core.ActionLike, core.ActionUnlike:
		return b.likes
	case core.ActionComment:
		return b.comments
	case core.ActionShare:
		return b.shares
	default:
		return b.others
	}
}

// keyOf tells apart what a user does to posts.
func keyOf(e *event) ratelimit.Key {
	return ratelimit.Key{Who: uint64(e.user), What: uint64(e.post) ^ uint64(e.action)<<59} //nolint:gosec // ids are positive
}

// take splits a user's events into those that are within the bound and those that are not.
func (b *Bound) take(events []event) (within []event, beyond []bool) {
	beyond = make([]bool, len(events))
	for i := range events {
		e := &events[i]
		if !b.of(e.action).Take(keyOf(e)).OK || !b.all.Take(ratelimit.Key{Who: uint64(e.user)}).OK { //nolint:gosec // positive
			beyond[i] = true
			continue
		}
		within = append(within, *e)
	}
	return within, beyond
}

// giveBack undoes take for events that are not known to be in the log: their client sends them again.
func (b *Bound) giveBack(events []event) {
	for i := range events {
		e := &events[i]
		b.of(e.action).GiveBack(keyOf(e))
		b.all.GiveBack(ratelimit.Key{Who: uint64(e.user)}) //nolint:gosec // positive
	}
}

// bounded leaves out of a request what is beyond its user's bound, and rejects it.
func (a *API) bounded(events []event, rejected []Rejection) ([]event, []Rejection) {
	if a.bound == nil {
		return events, rejected
	}
	within, beyond := a.bound.take(events)
	index, next := 0, 0 // the index in the request of each event: those that were rejected before are between them
	for _, over := range beyond {
		for next < len(rejected) && rejected[next].Index == index {
			index, next = index+1, next+1
		}
		if over {
			rejected = slices.Insert(rejected, next, Rejection{
				Index: index, Field: "post_id", Code: rejectTooMany, Reason: "this user has done this to this post too often lately, or sends too many events; it does not count",
			})
			next++
		}
		index++
	}
	return within, rejected
}
