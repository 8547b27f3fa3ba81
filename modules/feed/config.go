package feed

import (
	"time"

	"github.com/feedrank/feedrank/modules/feed/absent"
	"github.com/feedrank/feedrank/modules/feed/candidates"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/refill"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/feed/updates"
)

// Config is everything that is set under feed.
type Config struct {
	Hot     hot.Config         `koanf:"hot"`
	Store   store.Config       `koanf:"store"`
	Cache   CacheConfig        `koanf:"cache"`
	Sources candidates.Sources `koanf:"sources"`
	Refill  refill.Config      `koanf:"refill"`
	Absent  absent.Config      `koanf:"absent"`
	Updates updates.Config     `koanf:"updates"`
	Labels  LabelConfig        `koanf:"labels"`

	ReserveSize   int           `koanf:"reserve_size" validate:"gte=100,lte=2000"`            // scored posts kept for a viewer
	MaxEdges      int           `koanf:"max_edges" validate:"gte=100,lte=100000"`             // follows, blocks and mutes read of a viewer; the newest follows stay
	MaxAffinity   int           `koanf:"max_affinity" validate:"gte=10,lte=10000"`            // authors with affinity read of a viewer
	Budget        time.Duration `koanf:"budget" validate:"gte=10ms,lte=30s"`                  // of a request: it bounds whatever the request does; then what is in memory answers
	ComputeWait   time.Duration `koanf:"compute_wait" validate:"gte=1ms,lte=30s"`             // of the budget, to wait for a computation; the rest is for the fallback
	ComputeBudget time.Duration `koanf:"compute_budget" validate:"gte=10ms,lte=30s"`          // to compute a reserve, whoever waits for it
	ListsEvery    time.Duration `koanf:"lists_every" validate:"gte=50ms,lte=1m"`              // the published lists of trending posts are read so often
	SampleOverlap time.Duration `koanf:"sample_overlap" validate:"gte=0s,lte=1h"`             // how often the metric feedrank_feed_fallback_overlap is sampled in a replica; 0: never
	RepeatSeen    bool          `koanf:"repeat_seen"`                                         // show posts again that were seen, rather than an empty first page
	CursorSecrets []string      `koanf:"cursor_secrets" validate:"dive,min=32" secret:"true"` // sign cursors and feed_session: the first signs, all verify; the same in every replica; none: it is derived from auth.hs256_secret

	Explain           string `koanf:"explain" validate:"oneof=everybody admin"` // who sees the counts and weights behind a score; everybody else gets explain=true of their own feed in words
	TimelineHidesSeen bool   `koanf:"timeline_hides_seen"`                      // leave posts that were seen out of algo=timeline, which else is complete
}

// CacheConfig says how long a cached reserve is used.
type CacheConfig struct {
	TTL         time.Duration `koanf:"ttl" validate:"gte=1s,lte=1h"`              // used for so long ...
	RefreshOld  time.Duration `koanf:"refresh_old" validate:"gte=1s,lte=1h"`      // an older one is computed anew after it was used: the viewer is here, and what they do counts for affinity
	Jitter      int           `koanf:"jitter" validate:"gte=0,lte=50"`            // ... give or take so many percent
	StaleFor    time.Duration `koanf:"stale_for" validate:"gte=0s,lte=24h"`       // then served for so long while it is refreshed
	PartialTTL  time.Duration `koanf:"partial_ttl" validate:"gte=100ms,lte=1h"`   // fresh for so long if a source had failed
	MaxRefresh  int           `koanf:"max_refresh" validate:"gte=1,lte=10000"`    // while so many reserves are computed none is refreshed ahead, so that refreshes never take the places of those who wait; half of breaker.clickhouse.min_concurrent
	LeaseWait   time.Duration `koanf:"lease_wait" validate:"gte=0s,lte=5s"`       // wait so long for another replica that computes the viewer's reserve, then compute it anyway
	LocalStates int           `koanf:"local_states" validate:"gte=1,lte=1000000"` // viewers whose last state is kept in memory as well, 6 KiB each, for when Redis is away or was emptied
	LocalOrders int           `koanf:"local_orders" validate:"gte=1,lte=1000000"` // sessions of pages kept in memory as well, 2.5 KiB each, for when Redis is away
}

// Who may see the numbers behind a score.
const (
	Everybody = "everybody"
	OnlyAdmin = "admin"
)

// DefaultConfig is what the documentation promises.
func DefaultConfig() Config {
	return Config{
		Labels: LabelConfig{UnknownLanguage: Show},
		Hot:    hot.DefaultConfig(), Store: store.DefaultConfig(), Refill: refill.DefaultConfig(),
		Absent: absent.DefaultConfig(), Updates: updates.DefaultConfig(),
		Cache: CacheConfig{
			TTL: 30 * time.Minute, RefreshOld: 2 * time.Minute, Jitter: 10, StaleFor: 10 * time.Minute,
			PartialTTL: 5 * time.Second,
			MaxRefresh: 1, LeaseWait: 150 * time.Millisecond, LocalStates: 2000, LocalOrders: 1000,
		},
		Sources: candidates.Sources{
			Followees:   candidates.SourceConfig{Limit: 500, PerAuthor: 30, Timeout: 200 * time.Millisecond},
			Affinity:    candidates.SourceConfig{Limit: 200, PerAuthor: 10, Timeout: 200 * time.Millisecond},
			Groups:      candidates.SourceConfig{Limit: 300, PerAuthor: 30, Timeout: 200 * time.Millisecond},
			Trending:    candidates.SourceConfig{Limit: 200, PerAuthor: 10, Timeout: 200 * time.Millisecond},
			Popular:     candidates.SourceConfig{Limit: 200, PerAuthor: 10, Timeout: 200 * time.Millisecond},
			MaxAffinity: 200,
		},
		ReserveSize: 500, MaxEdges: 5000, MaxAffinity: 500, Budget: 450 * time.Millisecond,
		ComputeWait:   250 * time.Millisecond,
		ComputeBudget: time.Second, ListsEvery: 5 * time.Second, RepeatSeen: true, Explain: OnlyAdmin,
		SampleOverlap: 10 * time.Second,
	}
}

// candidates is what a reserve is built by.
func (c *Config) candidates() candidates.Config {
	return candidates.Config{
		Sources: c.Sources, Store: c.Store, Size: c.ReserveSize, Window: c.Hot.Window, Ahead: c.Hot.ClockTolerance,
		Budget: c.ComputeBudget,
		TTL:    c.Cache.TTL, PartialTTL: c.Cache.PartialTTL, Jitter: c.Cache.Jitter, LeaseWait: c.Cache.LeaseWait,
		MaxRefresh: c.Cache.MaxRefresh, Labels: filters.LabelRules{Discovery: c.Labels.KeptOut()},
	}
}
