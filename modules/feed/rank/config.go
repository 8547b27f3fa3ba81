package rank

// Config holds every constant of the ranking.
type Config struct {
	Weights        Weights    `koanf:"weights" json:"weights"`
	FreshnessDecay float64    `koanf:"freshness_decay" json:"freshness_decay" validate:"gte=0.0001,lte=10"`         // λ, per hour of age; 0.1 halves in 7 hours
	TrendingDecay  float64    `koanf:"trending_decay" json:"trending_decay" validate:"gte=0.0001,lte=10"`           // the same, for the order of trending posts of an hour and a day
	WeeklyDecay    float64    `koanf:"trending_decay_week" json:"trending_decay_week" validate:"gte=0.0001,lte=10"` // and of a week
	Engagement     Engagement `koanf:"engagement" json:"engagement"`
	Affinity       Affinity   `koanf:"affinity" json:"affinity"`
	Diversity      Diversity  `koanf:"diversity" json:"diversity"`
}

// Weights of the three terms in the score. They need not add up to one.
type Weights struct {
	Freshness  float64 `koanf:"freshness" json:"freshness" validate:"gte=0,lte=100"`
	Engagement float64 `koanf:"engagement" json:"engagement" validate:"gte=0,lte=100"`
	Affinity   float64 `koanf:"affinity" json:"affinity" validate:"gte=0,lte=100"`
}

// Engagement says what an interaction with a post is worth, and the prior: what a post is taken to
// have before anybody saw it, so that one like on two exposures does not win the site.
type Engagement struct {
	Like              float64 `koanf:"like" json:"like" validate:"gte=0,lte=100"`
	Comment           float64 `koanf:"comment" json:"comment" validate:"gte=0,lte=100"`
	Share             float64 `koanf:"share" json:"share" validate:"gte=0,lte=100"`
	Dislike           float64 `koanf:"dislike" json:"dislike" validate:"gte=0,lte=100"`                           // a vote against the post: what it takes, as a like of the same weight gives
	PriorInteractions float64 `koanf:"prior_interactions" json:"prior_interactions" validate:"gte=0,lte=1000000"` // a, in weighted interactions
	PriorExposures    float64 `koanf:"prior_exposures" json:"prior_exposures" validate:"gte=1,lte=1000000"`       // b, in exposures

	MaxRate     float64 `koanf:"max_rate" json:"max_rate" validate:"gte=0,lte=100"`          // weighted interactions for an exposure; who does more is taken to have seen more; 0: no bound
	MinPeople   int64   `koanf:"min_people" json:"min_people" validate:"gte=0,lte=100000"`   // people who must have liked, or commented, or shared a post in a day (or a week) before that counts in the lists of trending and popular posts ...
	PeopleShare float64 `koanf:"people_share" json:"people_share" validate:"gte=0,lte=0.01"` // ... or this share of a day's reactions to all posts, if that is more
}

// Affinity says what an interaction of a user with an author is worth. Hide stands for hides and
// "not interested", Dislike for votes against a post: with a negative weight they push the author down.
type Affinity struct {
	View    float64 `koanf:"view" json:"view" validate:"gte=0,lte=100"`
	Click   float64 `koanf:"click" json:"click" validate:"gte=0,lte=100"`
	Like    float64 `koanf:"like" json:"like" validate:"gte=0,lte=100"`
	Comment float64 `koanf:"comment" json:"comment" validate:"gte=0,lte=100"`
	Share   float64 `koanf:"share" json:"share" validate:"gte=0,lte=100"`
	Hide    float64 `koanf:"hide" json:"hide" validate:"gte=-100,lte=0"`
	Dislike float64 `koanf:"dislike" json:"dislike" validate:"gte=-100,lte=0"`
}

// Diversity holds the rules against one author filling the list.
type Diversity struct {
	Top       int `koanf:"top" json:"top" validate:"gte=0,lte=100"`                      // among the first so many places, an author stands once; 0: no such rule
	Gap       int `koanf:"gap" json:"gap" validate:"gte=0,lte=50"`                       // places between two posts of an author
	Window    int `koanf:"window" json:"window" validate:"gte=1,lte=500"`                // in any run of so many places ...
	MaxAuthor int `koanf:"max_per_author" json:"max_per_author" validate:"gte=1,lte=50"` // ... an author stands at most so often

	QuietShare float64 `koanf:"quiet_share" json:"quiet_share" validate:"gte=0,lte=0.5"` // of the places, kept for people whom the viewer follows and who post seldom, as long as they have posts; 0: none
	QuietPosts int     `koanf:"quiet_posts" json:"quiet_posts" validate:"gte=1,lte=100"` // who posted at most so often within feed.hot.window posts seldom
}

// DefaultConfig is the documented ranking.
func DefaultConfig() Config {
	return Config{
		Weights:        Weights{Freshness: 0.30, Engagement: 0.40, Affinity: 0.30},
		FreshnessDecay: 0.1,
		TrendingDecay:  0.05,
		WeeklyDecay:    0.015,
		Engagement: Engagement{
			Like: 1, Comment: 2, Share: 3, Dislike: 1, PriorInteractions: 1, PriorExposures: 20,
			MaxRate: 0.25, MinPeople: 3, PeopleShare: 0.00015,
		},
		Affinity:  Affinity{View: 0.2, Click: 0.5, Like: 1, Comment: 2, Share: 3, Hide: -5, Dislike: -1},
		Diversity: Diversity{Top: 5, Gap: 3, Window: 50, MaxAuthor: 3, QuietPosts: 3},
	}
}
