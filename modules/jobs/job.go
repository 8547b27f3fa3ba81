package jobs

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// Job is something to be done every so often.
type Job struct {
	Name    string        // lower case letters, digits and dashes
	Every   time.Duration // from the start of a run to the start of the next; 1 s at least
	Jitter  int           // give or take so many percent of Every, 0 to 50
	Timeout time.Duration // a run that takes longer is cancelled
	// Run does it. ctx ends with the deadline, the lead or the process. fence is the number of the
	// lead: it grows with every lead, and what is published must be refused under an older one.
	Run func(ctx context.Context, fence int64) error
}

var jobName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func (j *Job) check() error {
	switch {
	case !jobName.MatchString(j.Name):
		return fmt.Errorf("job %q: want a name of lower case letters, digits and dashes", j.Name)
	case j.Every < time.Second, j.Timeout <= 0, j.Jitter < 0, j.Jitter > 50, j.Run == nil:
		return fmt.Errorf("job %s: want every >= 1s, a timeout, a jitter of 0 to 50 percent and something to run",
			j.Name)
	}
	return nil
}

// Why a run was ended before it was done; context.Cause tells.
var (
	ErrLeadLost = errors.New("the lead is lost")
	ErrTooLong  = errors.New("the run took longer than it may")
)

// Outcome is how a run ended. The words are stored: never reuse one.
type Outcome string

// The outcomes. A run that is "running" under a lead that is gone becomes "lost".
const (
	Running  Outcome = "running"
	OK       Outcome = "ok"
	Failed   Outcome = "failed"
	TimedOut Outcome = "timeout"
	Lost     Outcome = "lost"
	Stopped  Outcome = "stopped"
)

// The causes of a run.
const (
	bySchedule = "schedule"
	byRequest  = "request"
)
