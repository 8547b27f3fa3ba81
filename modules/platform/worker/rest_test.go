package worker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

func TestAfterAStepComesARestOfSoManyTimesWhatItTook(t *testing.T) {
	r := worker.NewRest(core.SystemClock{}, 4, 0)
	require.Negative(t, r.Left())
	r.Begin(time.Hour)
	require.InDelta(t, 4, r.Left().Hours(), 0.1)
	bounded := worker.NewRest(core.SystemClock{}, 4, time.Minute)
	bounded.Begin(time.Hour)
	require.LessOrEqual(t, bounded.Left(), time.Minute)
}

func TestARestEndsWhenTheClockIsSetBack(t *testing.T) {
	clock := &settable{time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	r := worker.NewRest(clock, 2, 0)
	r.Begin(time.Minute)
	require.Equal(t, 2*time.Minute, r.Left())
	clock.now = clock.now.Add(time.Minute)
	require.Equal(t, time.Minute, r.Left())
	clock.now = clock.now.Add(-time.Hour)
	require.Zero(t, r.Left())
}

// settable is a clock that shows what it is told.
type settable struct{ now time.Time }

// Now implements core.Clock.
func (s *settable) Now() time.Time { return s.now }
