package core

import "time"

// Clock tells the time. Everything that asks for the time of day takes one, so that tests can say
// what time it is.
type Clock interface {
	Now() time.Time
}

// SystemClock is the machine's clock, in UTC.
type SystemClock struct{}

// Now is the current time in UTC.
func (SystemClock) Now() time.Time { return time.Now().UTC() }
