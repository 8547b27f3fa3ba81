package suggest

import "time"

// Config bounds what suggestions cost, and says what a reason is worth.
type Config struct {
	Fresh      time.Duration `koanf:"fresh" validate:"gte=1s,lte=24h"`         // a list of suggestions is used for so long; a short one for a tenth of it
	Keep       time.Duration `koanf:"keep" validate:"gte=1m,lte=168h"`         // and kept for so long, for when ClickHouse is away
	DismissFor time.Duration `koanf:"dismiss_for" validate:"gte=1h,lte=8760h"` // somebody who was dismissed is not suggested for so long
	MaxBarred  int           `koanf:"max_barred" validate:"gte=10,lte=100000"` // people remembered as dismissed or just followed, per user; the latest stay

	Budget        time.Duration `koanf:"budget" validate:"gte=10ms,lte=30s"`                // to compute one user's suggestions
	MaxConcurrent int           `koanf:"max_concurrent" validate:"gte=1,lte=1000"`          // computations at once; more get what there is
	Seeds         int           `koanf:"seeds" validate:"gte=1,lte=2000"`                   // of a user's followees, the newest, who are asked whom they follow
	PerSeed       int           `koanf:"per_seed" validate:"gte=1,lte=2000"`                // people taken of each of them
	MaxRows       int           `koanf:"max_rows" validate:"gte=1000,lte=1000000000"`       // rows that one query reads, whoever the followees are
	MaxEdges      int           `koanf:"max_edges" validate:"gte=100,lte=1000000"`          // follows, blocks and mutes read of a user
	Local         int           `koanf:"local" validate:"gte=1,lte=1000000"`                // users' suggestions in memory as well, 10 KiB each, for when Redis is away
	CircleBytes   int           `koanf:"circle_bytes" validate:"gte=65536,lte=68719476736"` // whom followees follow and care for is kept in memory while a list is fresh, in so many bytes at most; some 300 a person

	NameOthers bool `koanf:"name_others"` // a reason names some of the people behind it: it tells who follows and likes whom

	Weights Weights       `koanf:"weights"`
	Popular PopularConfig `koanf:"popular"`
}

// Weights say what each reason adds to a score, times log1p of its count.
type Weights struct {
	FollowedBy float64 `koanf:"followed_by" validate:"gte=0,lte=100"` // people whom the user follows follow them
	EngagedBy  float64 `koanf:"engaged_by" validate:"gte=0,lte=100"`  // people whom the user follows like their posts
	Engaged    float64 `koanf:"engaged" validate:"gte=0,lte=100"`     // the user likes their posts
	Popular    float64 `koanf:"popular" validate:"gte=0,lte=100"`     // people like their posts
}

// PopularConfig is the job that finds popular people.
type PopularConfig struct {
	Every   time.Duration `koanf:"every" validate:"gte=10s,lte=24h"`
	Timeout time.Duration `koanf:"timeout" validate:"gte=1s,lte=10m"` // of one run
	Days    int           `koanf:"days" validate:"gte=1,lte=90"`      // by what was done in so many days
	Limit   int           `koanf:"limit" validate:"gte=10,lte=5000"`  // people in the list
}

// DefaultConfig is what the documentation promises.
func DefaultConfig() Config {
	return Config{
		Fresh: time.Hour, Keep: 24 * time.Hour, DismissFor: 90 * 24 * time.Hour, MaxBarred: 2000,
		Budget: time.Second, MaxConcurrent: 4, Seeds: 200, PerSeed: 200, MaxRows: 2_000_000, MaxEdges: 20_000,
		Local: 1000, CircleBytes: 32 << 20,
		Weights: Weights{FollowedBy: 1, EngagedBy: 0.6, Engaged: 0.8, Popular: 0.1},
		Popular: PopularConfig{Every: 10 * time.Minute, Timeout: time.Minute, Days: 7, Limit: 1000},
	}
}
