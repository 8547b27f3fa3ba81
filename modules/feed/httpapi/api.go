package httpapi

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/published"
	"github.com/feedrank/feedrank/modules/platform/admission"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// API serves the feed over HTTP.
type API struct {
	feed    *feed.Feed
	explain string // feed.explain
	clock   core.Clock
	buffers sync.Pool // of *[]byte
}

// NewAPI makes the calls.
func NewAPI(f *feed.Feed, cfg feed.Config, clock core.Clock) *API {
	return &API{feed: f, explain: cfg.Explain, clock: clock, buffers: sync.Pool{New: func() any {
		b := make([]byte, 0, 8<<10)
		return &b
	}}}
}

// Routes are the calls of users.
func (a *API) Routes() []httpserver.Route {
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/api/v1/feed", Access: httpserver.User, Class: admission.Feed, Handler: a.page},
		{
			Method: http.MethodGet, Path: "/api/v1/feed/trending", Access: httpserver.User, Class: admission.Feed,
			Handler: a.trending,
		},
	}
}

// Limits of what a call returns.
const (
	maxLimit           = 100
	maxTrending        = 200
	defaultTrending    = 50
	maxCursorParameter = 4096 // longer is no cursor of ours, whatever it says
)

func (a *API) page(c echo.Context) error {
	params := httpserver.NewQuery(c, "limit", "cursor", "algo", "explain", "since", "lang", "labels")
	q := feed.Query{
		User: httpserver.UserID(c), Limit: params.Int("limit", 1, maxLimit, feed.DefaultLimit),
		Cursor: params.String("cursor", maxCursorParameter), Order: cursor.Ranked, Narrow: narrowing(params),
	}
	detail := page.Plain
	if params.Bool("explain") {
		detail = page.Numbers
	}
	if detail == page.Numbers && a.explain != feed.Everybody && !httpserver.IsAdmin(c) {
		detail = page.Words
	}
	q.Explain = detail == page.Numbers
	if params.OneOf("algo", "ranked", "ch", "timeline") == "timeline" {
		q.Order = cursor.Timeline
	}
	since := params.String("since", 64)
	if err := params.Err(); err != nil {
		return err
	}
	if params.Has("since") {
		return a.countNew(c, q, since)
	}
	return a.feed.Page(c.Request().Context(), q, func(p *page.Page) error { return a.write(c, p, detail) })
}

// countNew answers how many new posts there are since a page was made.
func (a *API) countNew(c echo.Context, q feed.Query, since string) error {
	at, err := a.parseSince(since)
	switch {
	case err != nil:
		return err
	case q.Cursor != "":
		return core.InvalidField("since", "asks for a number of posts: it goes without cursor")
	}
	q.Since = at
	return a.feed.CountNew(c.Request().Context(), q, func(p *page.Page) error {
		return c.JSONBlob(http.StatusOK, page.AppendNewPosts(nil, p, feed.MaxNewPosts))
	})
}

// parseSince reads a time that a client was given. What is older than the hot set counts as its edge.
func (a *API) parseSince(text string) (time.Time, error) {
	at, err := httpserver.ParseTime(text)
	if err != nil {
		return time.Time{}, core.InvalidField("since", "%s", err)
	}
	if at.After(a.clock.Now().Add(time.Minute)) {
		return time.Time{}, core.InvalidField("since", "is in the future")
	}
	return at, nil
}

func (a *API) trending(c echo.Context) error {
	params := httpserver.NewQuery(c, "window", "limit", "lang", "labels")
	window := params.OneOf("window", published.Day, published.Hour, published.Week)
	q := feed.Query{
		User: httpserver.UserID(c), Limit: params.Int("limit", 1, maxTrending, defaultTrending),
		Order: cursor.Ranked, Narrow: narrowing(params),
	}
	if err := params.Err(); err != nil {
		return err
	}
	q.Window = window
	return a.feed.Trending(c.Request().Context(), q, func(p *page.Page) error { return a.write(c, p, page.Plain) })
}

// maxNarrowing bounds the labels, and the languages, that a request asks for.
const maxNarrowing = 10

// narrowing is what a request asks for. What no post has is no error: then nothing matches.
func narrowing(params *httpserver.Query) feed.Narrowing {
	return feed.Narrowing{
		Labels:    params.List("labels", maxNarrowing, core.MaxKey),
		Languages: params.List("lang", maxNarrowing, core.MaxKey-len(core.LanguagePrefix)),
	}
}

func (a *API) write(c echo.Context, p *page.Page, detail page.Detail) error {
	buffer, _ := a.buffers.Get().(*[]byte)
	defer a.buffers.Put(buffer)
	*buffer = a.feed.AppendPage((*buffer)[:0], p, detail)
	c.Response().Header()[echo.HeaderContentLength] = []string{strconv.Itoa(len(*buffer))} // else it goes in chunks
	return c.JSONBlob(http.StatusOK, *buffer)
}
