package world

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Options say how big a world is.
type Options struct {
	Seed    uint64
	Users   int           // 0: the embedded real graph, which has 24,489
	Follows int           // of a generated graph; 0: 50 for each user
	Posts   int           // in the whole window
	Events  int           // in the whole window
	Blocks  int           // pairs of users
	Window  time.Duration // how far back posts and events go
	Recent  time.Duration // how far back events go; 0: as far as posts
	Now     time.Time     // where the window ends; everything is before it
}

// The names of the scales.
const (
	Small     = "small"
	Tenth     = "tenth"
	Reference = "reference"
	Large     = "large"
)

// ErrUnknownScale is returned for a scale that has no name.
var ErrUnknownScale = errors.New("want one of small, tenth, reference, large")

// Scale is a world of a named size. Now is left open.
func Scale(name string) (Options, error) {
	const day = 24 * time.Hour
	switch name {
	case Small: // the real graph, for a demo that starts in seconds
		return Options{Seed: 1, Posts: 3_000, Events: 30_000, Blocks: 200, Window: 2 * day}, nil
	case Tenth: // of the reference
		return Options{
			Seed: 1, Users: 10_000, Follows: 500_000, Posts: 40_000, Events: 1_000_000, Blocks: 2_000,
			Window: 4 * day, Recent: day,
		}, nil
	case Reference: // what the figures are promised at
		return Options{
			Seed: 1, Users: 100_000, Follows: 5_000_000, Posts: 400_000, Events: 10_000_000, Blocks: 20_000,
			Window: 4 * day, Recent: day,
		}, nil
	case Large:
		return Options{
			Seed: 1, Users: 100_000, Follows: 5_000_000, Posts: 400_000, Events: 100_000_000, Blocks: 20_000,
			Window: 4 * day,
		}, nil
	default:
		return Options{}, fmt.Errorf("scale %q: %w", name, ErrUnknownScale)
	}
}

// Validate tells everything that is wrong with the options.
func (o Options) Validate() error {
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	check(o.Users == 0 || o.Users >= 2 && o.Users <= 100_000_000,
		"users=%d: want 2 to 100000000, or 0 for the real graph", o.Users)
	check(o.Follows >= 0, "follows=%d: want 0 or more", o.Follows)
	check(o.Users != 0 || o.Follows == 0,
		"follows=%d: the real graph has its own follows; say how many users to generate one", o.Follows)
	check(o.Users < 2 || o.Follows <= min(o.Users*(o.Users-1), math.MaxUint32),
		"follows=%d: want at most users · (users - 1) and below 2^32", o.Follows)
	check(o.Posts >= 0 && o.Posts <= math.MaxInt32, "posts=%d: want 0 to %d", o.Posts, math.MaxInt32)
	check(o.Events >= 0 && o.Events <= 10_000_000_000, "events=%d: want 0 to 10000000000", o.Events)
	check(o.Events == 0 || o.Posts > 0, "events=%d: without posts nothing can happen", o.Events)
	check(o.Blocks >= 0 && o.Blocks <= 10_000_000, "blocks=%d: want 0 to 10000000", o.Blocks)
	check(o.Window >= time.Hour && o.Window <= 30*24*time.Hour, "window=%s: want 1h to 720h", o.Window)
	check(o.Recent >= 0 && o.Recent <= o.Window, "recent=%s: want 0 to the window", o.Recent)
	check(!o.Now.IsZero(), "now is not set")
	return errors.Join(problems...)
}

func (o Options) follows() int {
	if o.Follows > 0 {
		return o.Follows
	}
	const average = 50
	return min(average*o.Users, o.Users*(o.Users-1)/2)
}
