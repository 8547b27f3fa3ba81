// Package wait lets tests wait for what other goroutines and processes bring about.
package wait

import (
	"fmt"
	"testing"
	"time"
)

// patience is for a machine that is busy with other things. A test that succeeds does not use it up.
const patience = 3 * time.Minute

// Until waits until a condition holds, and fails the test if it never does. It asks in the test's own
// goroutine, so that the condition may use require, and nothing asks on when the test has ended.
func Until(t testing.TB, holds func() bool, what ...any) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		asked := time.Now()
		if holds() {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("not within %s%s", patience, said(what))
		case <-time.After(min(max(leastPause, 4*time.Since(asked)), mostPause)):
		}
	}
}

// A question pauses for as long as it is dear: what is waited for needs the machine, too.
const (
	leastPause = 5 * time.Millisecond
	mostPause  = 500 * time.Millisecond
)

func said(what []any) string {
	if len(what) == 0 {
		return ""
	}
	return ": " + fmt.Sprintf(fmt.Sprint(what[0]), what[1:]...)
}
