package httpserver

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver/problem"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// Action is something that an operator changed.
type Action struct {
	At        time.Time
	Who       string // the subject of their token
	What      string // of the route: a stable word such as ranking.change
	Target    string // what it was done to, of the path
	Before    any    // as JSON; nil where it is not known
	After     any
	Status    int // of the answer
	RequestID string
	Address   string
}

// Operations are the words by which a record names what operators change, through /admin or by a command.
var Operations = []string{
	"ranking.change", "ranking.rollback",
	"cache.drop", "cache.drop_matching",
	"breaker.force", "breaker.force_all", "breaker.reset",
	"job.run", "audit.run", "cdc.resync", "views.rebuild",
	"dead_letters.replay", "dead_letters.discard", "dead_letters.quarantine", "dead_letters.look",
	"events.import", "people.erase", "people.export",
	"backup.make", "backup.restore", "log.level",
}

// Recorder keeps what operators do.
type Recorder interface {
	// Ready refuses a call that could not be recorded.
	Ready() error
	// Record keeps an action. It must not be lost.
	Record(ctx context.Context, a Action)
}

const changeKey = "feedrank.change"

// change is what a handler says of what it did.
type change struct {
	nothing       bool
	before, after any
}

// Changed tells the record what was before and what is after.
func Changed(c echo.Context, before, after any) {
	if told, ok := c.Get(changeKey).(*change); ok {
		told.before, told.after = before, after
	}
}

// ChangedNothing keeps a call out of the record: it only looked at what it would do.
func ChangedNothing(c echo.Context) {
	if told, ok := c.Get(changeKey).(*change); ok {
		told.nothing = true
	}
}

// record hands what an operator changed to the recorder, once the call is answered.
func record(r Route, recorder Recorder, clock core.Clock) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if recorder == nil || !r.recorded() {
			return next
		}
		return func(c echo.Context) error {
			if err := recorder.Ready(); err != nil {
				return err
			}
			said := &change{}
			c.Set(changeKey, said)
			a := Action{
				At: clock.Now(), Who: Who(c), What: r.What, Target: strings.Join(c.ParamValues(), "/"),
				RequestID: tracing.RequestID(c.Request().Context()), Address: answerOf(c).client.String(),
			}
			err := next(c)
			if a.Status = c.Response().Status; err != nil {
				a.Status = problem.Status(err)
			}
			if refused := a.Status >= http.StatusBadRequest && a.Status < http.StatusInternalServerError; !refused &&
				!said.nothing {
				a.Before, a.After = said.before, said.after
				recorder.Record(c.Request().Context(), a)
			}
			return err
		}
	}
}

// Who is the operator who calls, by the subject of their token.
func Who(c echo.Context) string {
	p := principal(c)
	if p.Subject == "" && p.UserID.Valid() {
		return p.User().String()
	}
	return p.Subject
}

// named tells whether a token says whose it is.
func (p Principal) named() bool { return p.Subject != "" || p.UserID.Valid() }
