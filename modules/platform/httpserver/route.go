package httpserver

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/admission"
	"github.com/feedrank/feedrank/modules/platform/httpserver/textcheck"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// Access says who may call a route, and at which address.
type Access uint8

// The kinds of routes. With http.admin_addr set, those for operators are at that address only.
const (
	Public  Access = iota // no token; at both addresses, whatever else is going on: probes
	User                  // the token of a user, or of a service that names one
	Admin                 // a token with the admin scope; for operators
	Ops                   // no token: whoever reaches the address; for operators
	Debug                 // no token, but never at the address of users; for operators
	Anybody               // no token; at both addresses, and limited as calls of users are
	Console               // no token, but a session that the handler asks for; pages for operators
)

// Route is one call of the API, as a feature offers it.
type Route struct {
	Method  string
	Path    string
	Access  Access
	Handler echo.HandlerFunc
	NoLimit bool            // of time: for profiles
	What    string          // with Access Admin, of a call that changes something: a stable word for the record
	Reads   bool            // with Access Admin: a POST that changes nothing; with What it is recorded all the same
	InParts bool            // of a body: the handler refuses what is no text part by part, not the whole
	Class   admission.Class // of a call of users: how urgent it is when there is too much to do

	// End ends the answers that the call keeps open, when the server stops, and waits until they are. Such a call has
	// NoLimit, and is opened by Streaming.
	End func(context.Context)
}

const operatorsKey = "feedrank.operators"

// AtOperators tells whether a call came to http.admin_addr: only there is told what is no stranger's business.
func AtOperators(c echo.Context) bool { return c.Get(operatorsKey) != nil }

func atOperators(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Set(operatorsKey, true)
		answerOf(c).unread = nil // no answer of theirs gives way to strangers': their connections are the bound
		return next(c)
	}
}

const principalKey = "feedrank.principal"

// Principal is who calls: the user, and what their token allows besides.
type Principal struct {
	UserID    core.ID   // zero for a token that names no user
	UserText  string    // the user's key, where its number was derived from it
	Subject   string    // whom the token names, whatever that is
	Admin     bool      // may change what operators may change
	AdminRead bool      // may only see what operators see
	Service   string    // the subject of a service's token that acts as UserID; empty: UserID calls
	Expires   time.Time // when the token does; zero: that is not known
}

// Authenticator finds out who calls from the headers of a request.
type Authenticator interface {
	Authenticate(http.Header) (Principal, error)
}

// UserID is the authenticated user of a route with Access User. It is the only way by which a handler
// learns for whom it works, so a call cannot be made for anybody else.
func UserID(c echo.Context) core.ID { return principal(c).UserID }

// UserKey is UserID with the text of its key.
func UserKey(c echo.Context) core.Key { return principal(c).User() }

// User is the key of the user.
func (p Principal) User() core.Key { return core.Key{ID: p.UserID, Text: p.UserText} }

// Expires is when the token of a call does: what is kept open for its user ends then.
func Expires(c echo.Context) time.Time { return principal(c).Expires }

// IsAdmin tells whether the token of a call has the admin scope, also where it acts as a user.
func IsAdmin(c echo.Context) bool { return principal(c).Admin }

func principal(c echo.Context) Principal {
	p, _ := c.Get(principalKey).(Principal)
	return p
}

// changes tells whether an operator changes something by this call: it is recorded, and the scope that only
// reads does not do.
func (r Route) changes() bool {
	return r.Access == Admin && !r.Reads && r.Method != http.MethodGet && r.Method != http.MethodHead
}

// recorded tells whether a call is put on record: what changes something, and what one must not look at unseen.
func (r Route) recorded() bool { return r.changes() || r.Access == Admin && r.Reads && r.What != "" }

// headed tells whether a call takes HEAD, too. A profile is not taken for nobody to read it.
func (r Route) headed() bool { return r.Method == http.MethodGet && r.Access != Debug }

// authorize holds a route's Access.
func authorize(r Route, auth Authenticator) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if r.Access != User && r.Access != Admin {
			return next
		}
		return func(c echo.Context) error {
			p, err := auth.Authenticate(c.Request().Header)
			switch {
			case err != nil:
				return err
			case !textcheck.IsText(p.Subject):
				return core.Errorf(core.CodeForbidden, "the subject of the token: %s", textcheck.Want)
			case r.Access == Admin && !p.Admin && !p.AdminRead:
				return core.Errorf(core.CodeForbidden, "this call needs a token with the admin scope")
			case r.changes() && !p.Admin:
				return core.Errorf(core.CodeForbidden,
					"this call changes something: it needs a token with the admin scope, not the one that only reads")
			case r.recorded() && !p.named():
				return core.Errorf(core.CodeForbidden,
					"this call is put on record: the token must say whose it is, in its subject")
			case r.Access == Admin && p.Service != "":
				return core.Errorf(core.CodeForbidden, "nobody acts as a user here: leave out the header Act-As")
			case r.Access == User && !p.UserID.Valid():
				return core.Errorf(core.CodeForbidden,
					"this call is for a user: send the token of one (its subject is the user id), or name one in the header Act-As with a token that has the scope for it")
			}
			c.Set(principalKey, p)
			return next(c)
		}
	}
}

// tellOfActing logs whatever a service does in the name of a user.
func tellOfActing(log *zap.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if p := principal(c); p.Service != "" {
				tracing.Log(c.Request().Context(), log).Info("a service acts as a user",
					zap.String("service", p.Service), zap.Int64("user", int64(p.UserID)),
					zap.String("method", c.Request().Method), zap.String("route", c.Path()))
			}
			return next(c)
		}
	}
}
