package mapping

import (
	"errors"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// The conditions that time alone changes.
const (
	isPast   = "past"
	isFuture = "future"
)

// ends are the conditions that say when a row ends: it is gone once a column is past, or as soon as one is not future
// any more.
func (t Table) ends() (ends []Condition) {
	for _, c := range slices.Concat(t.GoneWhen, t.OnlyWhen) {
		if c.timed() {
			ends = append(ends, c)
		}
	}
	return ends
}

func (c Condition) timed() bool { return c.Is == isPast || c.Is == isFuture }

// checkTimed holds that only what can end does, and in the one way that is clear.
func (c Condition) checkTimed(k Kind, key string) error {
	switch {
	case !c.timed():
		return nil
	case k != Block && k != Mute:
		return errors.New("is: past and is: future say when a block or a mute ends; of other kinds, name a flag")
	case c.Is == isPast && key != "gone_when", c.Is == isFuture && key != "only_when":
		return errors.New("a block or a mute ends by gone_when with is: past, or by only_when with is: future")
	}
	return nil
}

// HasEnds tells whether rows may end without a change.
func (s *Source) HasEnds() bool { return len(s.config.ends()) > 0 }

// until is when a row ends; zero: never, as far as its columns say.
func (s *Source) until(after envelope.Row) (until time.Time, err error) {
	for _, c := range s.config.ends() {
		if after.IsNull(c.Column) {
			continue
		}
		at, err := after.TimeIn(c.Column, s.config.TimeUnit, s.zone)
		if err != nil {
			return time.Time{}, err
		}
		if until.IsZero() || at.Before(until) {
			until = at
		}
	}
	return until, nil
}
