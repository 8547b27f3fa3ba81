package httpserver

import (
	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
)

// Access says who may call a route.
type Access uint8

// Public needs no token, User the token of a user, Admin a token with the admin scope.
const (
	Public Access = iota
	User
	Admin
)

// Route is one call of the API, as a feature offers it.
type Route struct {
	Method  string
	Path    string
	Access  Access
	Handler echo.HandlerFunc
}

const principalKey = "feedrank.principal"

// Principal is who calls: the user, and what their token allows besides.
type Principal struct {
	UserID core.ID // zero for a token that names no user
	Admin  bool
}

// Authenticator finds out who calls from the Authorization header.
type Authenticator interface {
	Authenticate(authorization string) (Principal, error)
}

// UserID is the authenticated user of a route with Access User.
func UserID(c echo.Context) core.ID {
	p, _ := c.Get(principalKey).(Principal)
	return p.UserID
}

// authorize is the middleware that holds a route's Access.
func authorize(access Access, auth Authenticator) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if access == Public {
			return next
		}
		return func(c echo.Context) error {
			p, err := auth.Authenticate(c.Request().Header.Get(echo.HeaderAuthorization))
			switch {
			case err != nil:
				return err
			case access == Admin && !p.Admin:
				return core.Errorf(core.CodeForbidden, "this call needs a token with the admin scope")
			case access == User && !p.UserID.Valid():
				return core.Errorf(core.CodeForbidden, "this call needs the token of a user: the subject must be a user id")
			}
			c.Set(principalKey, p)
			return next(c)
		}
	}
}
