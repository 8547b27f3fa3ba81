package httpserver

import (
	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/platform/admission"
)

// admit lets the calls of users in while there is room. Operators and probes pass: they must see what
// is going on.
func admit(route Route, gate *admission.Gate) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if gate == nil || route.Access != User {
			return next
		}
		return func(c echo.Context) error {
			if err := gate.Enter(c.Request().Context(), route.Class); err != nil {
				return err
			}
			defer gate.Leave()
			return next(c)
		}
	}
}
