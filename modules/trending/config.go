package trending

import (
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Config says how often the lists are made, and what it takes to be in one.
type Config struct {
	Every   time.Duration `koanf:"every" validate:"gte=5s,lte=10m"`   // from one publication to the next; below keep, or the lists run out
	Timeout time.Duration `koanf:"timeout" validate:"gte=1s,lte=10m"` // of one publication
	Keep    time.Duration `koanf:"keep" validate:"gte=10s,lte=1h"`    // a list that is not published again is gone after so long
	Limit   int           `koanf:"limit" validate:"gte=1,lte=200"`    // posts in a list

	PerUser float64 `koanf:"per_user" validate:"gte=1,lte=1000"` // weighted interactions that one person can count for, where the app's own tables count what somebody did more than once

	Hour WindowConfig `koanf:"hour"`
	Day  WindowConfig `koanf:"day"`
	Week WindowConfig `koanf:"week"`
}

// WindowConfig is one list.
type WindowConfig struct {
	Refresh time.Duration `koanf:"refresh" validate:"gte=1s,lte=24h"` // it is made anew after so long; between, only posts that are gone leave it
}

// DefaultConfig suits ten million events a day.
func DefaultConfig() Config {
	return Config{
		Every: 20 * time.Second, Timeout: 45 * time.Second, Keep: time.Minute, Limit: 200, PerUser: 6,
		Hour: WindowConfig{Refresh: 20 * time.Second}, Day: WindowConfig{Refresh: time.Minute},
		Week: WindowConfig{Refresh: 10 * time.Minute},
	}
}

// Check holds the settings against each other.
func (c Config) Check() map[string]string {
	if c.Keep < 2*c.Every {
		return map[string]string{"keep": "want at least twice trending.every"}
	}
	return nil
}

// Window is one of the lists.
type Window string

// The windows, as the API names them.
const (
	Hour Window = "1h"
	Day  Window = "24h"
	Week Window = "7d"
)

// windows are all of them.
func (c *Config) windows() []window {
	return []window{
		{Hour, time.Hour, c.Hour}, {Day, 24 * time.Hour, c.Day}, {Week, 7 * 24 * time.Hour, c.Week},
	}
}

// since is when a window begins: one of an hour that long ago, the others with a whole hour, so that "24 hours"
// are this hour and the 23 before it.
func (w window) since(now time.Time) time.Time {
	if w.length == time.Hour {
		return now.Add(-w.length)
	}
	return now.Truncate(time.Hour).Add(time.Hour - w.length)
}

type window struct {
	name   Window
	length time.Duration
	cfg    WindowConfig
}

// Weights say what an interaction is worth, and the prior: as in the ranking of feeds.
type Weights struct {
	Like, Comment, Share, Dislike     float64
	PriorInteractions, PriorExposures float64
	MaxRate                           float64 // 0: no bound
	MinPeople                         int64
	PeopleShare                       float64
	Decay, WeeklyDecay                float64 // per hour of a post's age
	// KeptOut are labels, ascending, of posts that are in no list.
	KeptOut []core.ID
}
