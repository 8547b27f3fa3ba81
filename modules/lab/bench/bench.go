package bench

import (
	"errors"
	"fmt"
	"strings"

	"github.com/feedrank/feedrank/modules/lab/bench/faults"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/lab/bench/reads"
	"github.com/feedrank/feedrank/modules/lab/bench/writes"
)

// All are the benches.
func All() []harness.Bench {
	return []harness.Bench{
		reads.FeedCached(), reads.FeedComputed(), reads.Trending(), reads.Suggestions(), reads.Mixed(),
		reads.FeedMixed(), writes.Freshness(), writes.Ingest(), writes.CDC(), reads.Views(), reads.Memory(),
		reads.Updates(), writes.Restore(), quick(),
		faults.Availability(), faults.Overload(),
	}
}

// ErrUnknown is returned for a bench that is not one of All.
var ErrUnknown = errors.New("unknown bench")

// Find is the bench of a name.
func Find(name string) (harness.Bench, error) {
	names := make([]string, 0, len(All()))
	for _, b := range All() {
		if b.Name == name {
			return b, nil
		}
		names = append(names, b.Name)
	}
	return harness.Bench{}, fmt.Errorf("%w %q: want one of %s", ErrUnknown, name, strings.Join(names, ", "))
}
