package ingest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/window"
	"github.com/feedrank/feedrank/modules/platform/ratelimit"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// QuotaConfig says how many events of one user are taken in. What counts is bounded without it: a user counts
// once for a post in each kind of reaction. This bounds what has to be stored and decided.
type QuotaConfig struct {
	LikesPerDay    int `koanf:"likes_per_day" validate:"gte=0,lte=10000"`    // likes of one user on one post, and as many unlikes; 0: no bound
	CommentsPerDay int `koanf:"comments_per_day" validate:"gte=0,lte=10000"` // comments of one user on one post; 0: no bound
	SharesPerDay   int `koanf:"shares_per_day" validate:"gte=0,lte=10000"`   // shares of one post by one user; 0: no bound
	OthersPerHour  int `koanf:"others_per_hour" validate:"gte=0,lte=10000"`  // of each other action, such as impression, of one user on one post; 0: no bound
	PerHour        int `koanf:"per_hour" validate:"gte=0,lte=10000000"`      // events of one user in all; 0: no bound
	KeysEach       int `koanf:"keys_each" validate:"gte=100,lte=1000000"`    // posts of one user that are counted at once, for each bound and action; events on more are refused
	MaxKeys        int `koanf:"max_keys" validate:"gte=1000,lte=100000000"`  // users with a post that are counted at once, for each bound, 50 bytes each; see keys_each
	KnownIDs       int `koanf:"known_ids" validate:"gte=0,lte=100000000"`    // ids of events taken last, 60 bytes each: one that is sent again is accepted and uses up nothing
}

// DefaultQuota is more than a person does.
func DefaultQuota() QuotaConfig {
	return QuotaConfig{
		LikesPerDay: 20, CommentsPerDay: 20, SharesPerDay: 20, OthersPerHour: 20, PerHour: 20_000,
		KeysEach: 5000, MaxKeys: 500_000, KnownIDs: 200_000,
	}
}

// rejectTooMany is the code of what one user has done too often.
const rejectTooMany = "too_many"

// Quota holds one user's events to what they can move. The replicas count together through Redis, and each
// for itself while Redis is gone.
type Quota struct {
	likes, comments, shares, others, all *ratelimit.Limiter
	sync                                 *ratelimit.Sync

	mu    sync.Mutex
	known *window.Map[codec.Identity, struct{}] // ids that are safe in the log
}

// NewQuota makes quotas. Without a running Run it holds in this process alone.
func NewQuota(cfg QuotaConfig, client *redis.Client, clock core.Clock, reg prometheus.Registerer,
	log *zap.Logger,
) *Quota {
	limiter := func(name string, limit int, window time.Duration) *ratelimit.Limiter {
		return ratelimit.NewLimiter(ratelimit.Rule{
			Name: name, Limit: limit, Window: window, Sliding: true,
			MaxKeys: cfg.MaxKeys, KeysEach: cfg.KeysEach,
		}, clock)
	}
	const day = 24 * time.Hour
	b := &Quota{
		likes: limiter("likes", cfg.LikesPerDay, day), comments: limiter("comments", cfg.CommentsPerDay, day),
		shares: limiter("shares", cfg.SharesPerDay, day), others: limiter("other_events", cfg.OthersPerHour, time.Hour),
		all: limiter("events", cfg.PerHour, time.Hour), known: window.New[codec.Identity, struct{}](cfg.KnownIDs),
	}
	limiters := []*ratelimit.Limiter{b.likes, b.comments, b.shares, b.others, b.all}
	ratelimit.Register(reg, limiters...)
	b.sync = ratelimit.NewSync(client, func(err error) {
		log.Debug("the quotas of events hold in this replica alone", zap.Error(err))
	}, limiters...)
	return b
}

// Run tells the replicas of each other's counts until ctx ends.
func (b *Quota) Run(ctx context.Context) error { return b.sync.Run(ctx) }

// of is the limiter of an action.
func (b *Quota) of(a core.Action) *ratelimit.Limiter {
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

// quotaKey tells apart what a user does to posts.
func quotaKey(e *codec.Event) ratelimit.Key {
	return ratelimit.Key{Who: uint64(e.User), What: uint64(e.Post) ^ uint64(e.Action)<<59} // integers are far below
}

// fate is what becomes of an event that a client sent.
type fate uint8

const (
	fateNew    fate = iota // it goes to the log
	fateKnown              // it is there already, or stands further up in the request
	fateBeyond             // it is beyond the quota
)

// take splits a user's events into those that go to the log, and tells the fate of each.
func (b *Quota) take(events []codec.Event) (within []codec.Event, fates []fate) {
	fates = make([]fate, len(events))
	b.findKnown(events, fates)
	for i := range events {
		e := &events[i]
		switch {
		case fates[i] == fateKnown:
		case !b.of(e.Action).Take(quotaKey(e)).OK || !b.all.Take(ratelimit.Key{Who: uint64(e.User)}).OK:
			fates[i] = fateBeyond
		default:
			within = append(within, *e)
		}
	}
	return within, fates
}

// findKnown finds the events that are sent again.
func (b *Quota) findKnown(events []codec.Event, fates []fate) {
	here := make(map[codec.Identity]struct{}, len(events))
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range events {
		id := events[i].Identity()
		_, before := here[id]
		_, known := b.known.Find(id)
		if before || known {
			fates[i] = fateKnown
		}
		here[id] = struct{}{}
	}
}

// remember notes events that are safe in the log.
func (b *Quota) remember(events []codec.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range events {
		b.known.Add(events[i].Identity(), struct{}{})
	}
}

// giveBack undoes take for events that are not known to be in the log: their client sends them again.
func (b *Quota) giveBack(events []codec.Event) {
	for i := range events {
		e := &events[i]
		b.of(e.Action).GiveBack(quotaKey(e))
		b.all.GiveBack(ratelimit.Key{Who: uint64(e.User)})
	}
}

// withinQuota leaves out of a request what is beyond its user's bound, and rejects it. What is known is accepted
// without going to the log again.
func (a *API) withinQuota(events []codec.Event, rejected []codec.Rejection) (fresh []codec.Event, known int,
	_ []codec.Rejection,
) {
	if a.quota == nil {
		return events, 0, rejected
	}
	fresh, fates := a.quota.take(events)
	index, next := 0, 0 // the index in the request of each event: those that were rejected before are between them
	for _, f := range fates {
		for next < len(rejected) && rejected[next].Index == index {
			index, next = index+1, next+1
		}
		switch f {
		case fateBeyond:
			rejected = slices.Insert(rejected, next, codec.Rejection{
				Index: index, Field: "post_id", Code: rejectTooMany,
				Reason: "this user has done this to this post, or to too many posts, too often lately, or sends too many events; it does not count",
			})
			next++
		case fateKnown:
			known++
		case fateNew:
		}
		index++
	}
	return fresh, known, rejected
}
