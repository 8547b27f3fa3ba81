package console

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/console/provider"
	"github.com/feedrank/feedrank/modules/console/session"
	"github.com/feedrank/feedrank/modules/console/views"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

var errNoProvider = core.Errorf(core.CodeNotFound, "no provider logs in here: console.oidc.issuer is not set")

// beginAtProvider sends somebody to the provider, to log in there.
func (c *Console) beginAtProvider(e echo.Context) error {
	if c.oidc == nil {
		return errNoProvider
	}
	next := inside(e.QueryParam("next"))
	address, sealed, err := c.oidc.Begin(e.Request().Context(), next)
	if err != nil {
		return c.refuseAtProvider(e, next, err)
	}
	e.SetCookie(session.Pending(sealed, isHTTPS(e), provider.PendingFor))
	return e.Redirect(http.StatusSeeOther, address)
}

// finishAtProvider takes the provider's answer. The browser was led here from another site, so it would not send the
// cookie of the session to where it is led next: the page loads that by itself.
func (c *Console) finishAtProvider(e echo.Context) error {
	if c.oidc == nil {
		return errNoProvider
	}
	who, next, err := c.oidc.Finish(e.Request().Context(), session.PendingOf(e.Request()), e.QueryParams())
	e.SetCookie(session.NotPending(isHTTPS(e)))
	if err != nil {
		return c.refuseAtProvider(e, next, err)
	}
	token, err := c.sign(who.Name, who.Reads)
	if err != nil {
		return err
	}
	if err := c.begin(e, token, "provider"); err != nil {
		return c.refuseToken(e, err)
	}
	return c.write(e, http.StatusOK, "entered", views.Page{Title: "Logged in", Content: inside(next)})
}

// refuseAtProvider says why the provider logged nobody in. A token does all the same.
func (c *Console) refuseAtProvider(e echo.Context, next string, err error) error {
	var said *provider.Refusal
	if !errors.As(err, &said) {
		return err
	}
	tracing.Log(e.Request().Context(), c.log).Warn("nobody was logged in to the console by the provider",
		zap.Error(err), zap.String("from", e.RealIP()))
	return c.askForToken(e, said.Status, inside(next), &views.Problem{
		What: said.What, Detail: said.Detail, Do: said.Do,
	})
}
