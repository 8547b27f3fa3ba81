package console

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/console/people"
	"github.com/feedrank/feedrank/modules/console/pipeline"
	"github.com/feedrank/feedrank/modules/console/provider"
	"github.com/feedrank/feedrank/modules/console/session"
	"github.com/feedrank/feedrank/modules/console/views"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/ops"
)

// Process is what the program tells of itself.
type Process struct {
	Version string
	Roles   []string
	Scopes  [2]string // of a token: that changes things, and that only reads
	Runbook string    // Markdown, with an entry for each alert
}

// Health is how the dependencies are.
type Health interface {
	Readiness(ctx context.Context) (ops.Readiness, error)
}

// Signer makes the token of somebody whom the provider logged in, by their name.
type Signer func(name string, reads bool) (string, error)

// Console serves the pages. It is safe for concurrent use.
type Console struct {
	cfg     Config
	process Process
	auth    httpserver.Authenticator
	health  Health
	flow    *pipeline.Sampler
	people  *people.People // nil: users are known by their keys only
	links   *session.Links
	oidc    *provider.Provider // nil: tokens only
	sign    Signer
	views   *views.Views
	sameURL *http.CrossOriginProtection
	clock   core.Clock
	started time.Time
	log     *zap.Logger
}

// Params are what a Console is made of.
type Params struct {
	Config  Config
	Process Process
	Auth    httpserver.Authenticator
	Health  Health
	Flow    *pipeline.Sampler
	People  *people.People // nil: names are not known
	Sign    Signer         // used where Config.OIDC has a provider
	Clock   core.Clock
	Log     *zap.Logger
}

// New makes the pages ready.
func New(p Params) (*Console, error) {
	pages, err := views.New(p.Clock)
	if err != nil {
		return nil, err
	}
	oidc, err := provider.New(p.Config.OIDC, p.Clock)
	if err != nil {
		return nil, err
	}
	return &Console{
		cfg: p.Config, process: p.Process, auth: p.Auth, health: p.Health, flow: p.Flow, people: p.People,
		links: session.NewLinks(p.Clock), views: pages, sameURL: http.NewCrossOriginProtection(), clock: p.Clock,
		started: p.Clock.Now(), log: p.Log, oidc: oidc, sign: p.Sign,
	}, nil
}

// Link is a path that logs in once with a token, within so long; empty where too many wait to be used.
func (c *Console) Link(token string, validFor time.Duration) string {
	code := c.links.Issue(token, validFor)
	if code == "" {
		return ""
	}
	return session.Path + "/login?" + url.Values{"once": {code}}.Encode()
}

// Routes are the pages.
func (c *Console) Routes() []httpserver.Route {
	routes := []httpserver.Route{
		c.open(http.MethodGet, "/login", c.loginPage),
		c.open(http.MethodPost, "/login", c.login),
		c.open(http.MethodGet, "/assets/:name", c.asset),
		c.open(http.MethodGet, "/login/oidc/begin", c.beginAtProvider),
		c.open(http.MethodGet, "/login/oidc", c.finishAtProvider),
		c.behind(http.MethodPost, "/logout", c.logout),
		c.behind(http.MethodGet, "", c.home),
	}
	for _, s := range []struct {
		path      string
		show, act func(*visit) error
	}{
		{"/feed", c.feed, nil},
		{"/why-not", c.whyNot, nil},
		{"/trending", c.trending, nil},
		{"/suggestions", c.suggestions, nil},
		{"/feed/compare", c.compare, nil},
		{"/quality", c.quality, nil},
		{"/ranking", c.ranking, c.changeRanking},
		{"/pipeline", c.pipeline, nil},
		{"/dead-letters", c.letters, c.actOnLetters},
		{"/dead-letters/letter", c.letter, c.showLetter},
		{"/dead-letters/order", c.letterTask, nil},
		{"/operations", c.operations, c.operate},
		{"/actions", c.actions, nil},
		{"/runbook", c.runbook, nil},
	} {
		routes = append(routes, c.behind(http.MethodGet, s.path, s.show))
		if s.act != nil {
			routes = append(routes, c.behind(http.MethodPost, s.path, s.act))
		}
	}
	return routes
}

// open is a page for everybody.
func (c *Console) open(method, path string, handler echo.HandlerFunc) httpserver.Route {
	return httpserver.Route{
		Method: method, Path: session.Path + path, Access: httpserver.Console,
		Handler: func(e echo.Context) error {
			e.Response().Header().Set(echo.HeaderContentSecurityPolicy, views.Policy)
			if err := c.sameURL.Check(e.Request()); err != nil {
				return c.refuse(e, http.StatusForbidden, "This form was not sent from here",
					"Your browser says that another site sent it. Open the console and try again.")
			}
			return handler(e)
		},
	}
}

// behind is a page for who is logged in; an action also needs the mark of their session.
func (c *Console) behind(method, path string, show func(*visit) error) httpserver.Route {
	return c.open(method, path, func(e echo.Context) error {
		who, ok, err := session.Of(c.auth, e.Request())
		switch {
		case !ok && err != nil && core.CodeOf(err) != core.CodeUnauthenticated:
			return c.refuseToken(e, err)
		case !ok:
			return c.sendToLogin(e)
		case e.Request().Method == http.MethodPost && !who.Holds(e.FormValue("mark")):
			return c.refuse(e, http.StatusForbidden, "This form is not of your session",
				"You may have logged in again since it was shown. Go back, load the page again, and repeat what you did.")
		}
		return show(&visit{Context: e, console: c, who: who})
	})
}

func (c *Console) home(v *visit) error {
	return v.Redirect(http.StatusSeeOther, session.Path+"/pipeline")
}

// asset is a file whose name changes with what is in it.
func (c *Console) asset(e echo.Context) error {
	a, ok := c.views.Asset(e.Param("name"))
	if !ok {
		return core.Errorf(core.CodeNotFound, "there is no such file")
	}
	e.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=31536000, immutable")
	return e.Blob(http.StatusOK, a.Type, a.Body)
}
