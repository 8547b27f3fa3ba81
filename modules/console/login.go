package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/console/session"
	"github.com/feedrank/feedrank/modules/console/views"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// loginForm is the page of who is not logged in.
type loginForm struct {
	Next      string // where they wanted to go
	Again     string // an address that is tried once more
	Provider  string // that logs in; empty: none
	Begin     string // where it begins
	Scope     string
	ReadScope string
	Problem   *views.Problem
}

// sendToLogin remembers where somebody wanted to go.
func (c *Console) sendToLogin(e echo.Context) error {
	next := ""
	if e.Request().Method == http.MethodGet {
		next = e.Request().URL.RequestURI()
	}
	return e.Redirect(http.StatusSeeOther, session.Path+"/login?"+url.Values{"next": {next}}.Encode())
}

// inside is an address of the console, or its first page.
func inside(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host != "" || u.Scheme != "" || strings.HasPrefix(address, "//") ||
		(u.Path != session.Path && !strings.HasPrefix(u.Path, session.Path+"/")) ||
		strings.HasPrefix(u.Path, session.Path+"/login") || strings.ContainsAny(address, "\\\r\n") {
		return session.Path
	}
	return address
}

// loginPage asks for a token, or takes the code of a link. A link from another site comes without the cookie: the page
// then loads itself once more, which is no longer from there.
func (c *Console) loginPage(e echo.Context) error {
	next := inside(e.QueryParam("next"))
	if code := e.QueryParam("once"); code != "" && e.Request().Method == http.MethodGet {
		token, ok := c.links.Redeem(code)
		if !ok {
			return c.askForToken(e, http.StatusForbidden, next, &views.Problem{
				What: "This link does not hold any more", Detail: "It logs in once, and for some minutes.",
				Do: "Log in with a token, or have a new link made.",
			})
		}
		return c.enter(e, token, next)
	}
	if _, ok, _ := session.Of(c.auth, e.Request()); ok {
		return e.Redirect(http.StatusSeeOther, next)
	}
	return c.askForToken(e, http.StatusOK, next, nil)
}

func (c *Console) askForToken(e echo.Context, status int, next string, problem *views.Problem) error {
	form := loginForm{Next: next, Scope: c.process.Scopes[0], ReadScope: c.process.Scopes[1], Problem: problem}
	if c.oidc != nil {
		form.Provider = c.oidc.Name()
		form.Begin = session.Path + "/login/oidc/begin?" + url.Values{"next": {next}}.Encode()
	}
	if e.QueryParam("next") != "" && e.QueryParam("again") == "" && problem == nil {
		form.Again = session.Path + "/login?" + url.Values{"next": {next}, "again": {"1"}}.Encode()
	}
	return c.write(e, status, "login", views.Page{Title: "Log in", Content: form})
}

func (c *Console) login(e echo.Context) error {
	token := strings.TrimSpace(e.FormValue("token"))
	token = strings.TrimSpace(strings.TrimPrefix(token, "Bearer "))
	return c.enter(e, token, inside(e.FormValue("next")))
}

// enter begins a session, and leads to where somebody wanted to go.
func (c *Console) enter(e echo.Context, token, next string) error {
	if err := c.begin(e, token, "token"); err != nil {
		return c.refuseToken(e, err)
	}
	return e.Redirect(http.StatusSeeOther, next)
}

// begin begins a session.
func (c *Console) begin(e echo.Context, token, by string) error {
	who, err := session.Open(c.auth, token)
	if err != nil {
		return err
	}
	tracing.Log(e.Request().Context(), c.log).Info("an operator logged in to the console",
		zap.String("who", who.Name), zap.Bool("reads_only", who.Reads),
		zap.String("by", by), zap.String("from", e.RealIP()))
	e.SetCookie(who.Cookie(isHTTPS(e), c.cfg.Session))
	return nil
}

func (c *Console) logout(v *visit) error {
	v.SetCookie(session.Ended(isHTTPS(v.Context)))
	return v.Redirect(http.StatusSeeOther, session.Path+"/login")
}

// refuseToken says why a token opens nothing.
func (c *Console) refuseToken(e echo.Context, err error) error {
	var ours *core.Error
	switch {
	case errors.Is(err, session.ErrNoScope):
		e.SetCookie(session.Ended(isHTTPS(e)))
		return c.refuse(e, http.StatusForbidden, "This token does not open the console",
			"It holds, but has neither the scope "+c.process.Scopes[0]+" nor "+c.process.Scopes[1]+
				". Ask whoever issues tokens for one that has, and log in with it.")
	case errors.As(err, &ours) && ours.Code == core.CodeUnauthenticated:
		return c.askForToken(e, http.StatusUnauthorized, inside(e.FormValue("next")), &views.Problem{
			What: "The token does not hold", Detail: ours.Message, Do: "Paste the whole token, without quotes.",
		})
	}
	return err
}

// refuse answers with a page that says what to do.
func (c *Console) refuse(e echo.Context, status int, what, detail string) error {
	return c.write(e, status, "refused", views.Page{Title: what, Content: struct {
		Problem        *views.Problem
		Back, BackText string
	}{&views.Problem{What: "What to do", Detail: detail}, session.Path + "/login", "To the login"}})
}
