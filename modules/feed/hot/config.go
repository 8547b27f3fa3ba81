package hot

import "time"

// Config bounds the hot set and says how often it is refreshed.
type Config struct {
	Window         time.Duration `koanf:"window" validate:"gte=1h,lte=720h"`          // posts as young as this are candidates
	OlderPosts     int           `koanf:"older_posts" validate:"gte=0,lte=1000000"`   // the newest posts beyond the window, for when it has too few
	MaxPosts       int           `koanf:"max_posts" validate:"gte=1000,lte=50000000"` // in all, about 130 bytes each; the oldest make room
	RefreshEvery   time.Duration `koanf:"refresh_every" validate:"gte=50ms,lte=1m"`   // what was written of the current hour; seldomer, to 2s, where reading it takes long
	RecountEvery   time.Duration `koanf:"recount_every" validate:"gte=1s,lte=1h"`     // engagement of all 24 hours
	ReloadEvery    time.Duration `koanf:"reload_every" validate:"gte=10s,lte=24h"`    // everything, to repair what changes missed
	RankEvery      time.Duration `koanf:"rank_every" validate:"gte=100ms,lte=1m"`     // the lists of trending and popular posts
	ListPosts      int           `koanf:"list_posts" validate:"gte=10,lte=5000"`      // posts in each of these lists
	ListPerAuthor  int           `koanf:"list_per_author" validate:"gte=1,lte=100"`   // posts of one author in each of these lists
	ClockTolerance time.Duration `koanf:"clock_tolerance" validate:"gte=0s,lte=10m"`  // by so much the app's clocks may be ahead; a post that is dated further ahead is held back until its time
	TrustChanges   time.Duration `koanf:"trust_changes" validate:"gte=1m,lte=24h"`    // for so long a change outweighs what ClickHouse says, which may lag
	LoadTimeout    time.Duration `koanf:"load_timeout" validate:"gte=100ms,lte=10m"`  // one bulk read
	StaleAfter     time.Duration `koanf:"stale_after" validate:"gte=1s,lte=1h"`       // older engagement is reported as stale
	ReplaceAfter   time.Duration `koanf:"replace_after" validate:"gte=10s,lte=24h"`   // with older engagement, or none yet, a page asks ClickHouse itself ...
	ReplaceAtOnce  int           `koanf:"replace_at_once" validate:"gte=0,lte=1000"`  // ... so many at once; the others do with what is there
}

// DefaultConfig suits a few hundred thousand posts.
func DefaultConfig() Config {
	return Config{
		Window: 72 * time.Hour, OlderPosts: 5000, MaxPosts: 1_000_000,
		RefreshEvery: 500 * time.Millisecond, RecountEvery: time.Minute, ReloadEvery: 10 * time.Minute,
		RankEvery: 2 * time.Second, ListPosts: 400, ListPerAuthor: 10,
		ClockTolerance: 5 * time.Second, TrustChanges: 15 * time.Minute, LoadTimeout: 30 * time.Second,
		StaleAfter: 30 * time.Second, ReplaceAfter: 5 * time.Minute, ReplaceAtOnce: 8,
	}
}
