package core

import "time"

// Clock tells the time. Everything that decides by the time takes one, so that tests can say what time it is.
// The linter holds that this file alone asks the machine.
type Clock interface {
	Now() time.Time
}

// SystemClock is the machine's clock, in UTC.
type SystemClock struct{}

// Now is the current time in UTC.
func (SystemClock) Now() time.Time { return time.Now().UTC() }

// Within tells whether less than d has passed between two times. A clock that was set back says no: else what is
// to be done again after d would not be for as long as it was set back.
func Within(d time.Duration, since, now time.Time) bool {
	passed := now.Sub(since)
	return passed >= 0 && passed < d
}

// Stopwatch measures how long something takes, for a metric or a log line. What decides asks a Clock.
type Stopwatch struct{ began time.Time }

// StartStopwatch starts one.
func StartStopwatch() Stopwatch { return Stopwatch{began: time.Now()} }

// Elapsed is how long it has been running.
func (s Stopwatch) Elapsed() time.Duration { return time.Since(s.began) }

// Deadline is some time from now as connections want it: by the machine's clock.
func Deadline(in time.Duration) time.Time { return time.Now().Add(in) }

// Left is how long it is until the deadline of a connection or a context.
func Left(deadline time.Time) time.Duration { return time.Until(deadline) }
