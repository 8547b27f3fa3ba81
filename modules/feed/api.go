package feed

import (
	"net/http"
	"strconv"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/platform/admission"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// API serves the feed over HTTP.
type API struct {
	feed    *Feed
	buffers sync.Pool // of *[]byte
}

// NewAPI makes the calls.
func NewAPI(feed *Feed) *API {
	return &API{feed: feed, buffers: sync.Pool{New: func() any {
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
	defaultLimit       = 20
	maxLimit           = 100
	maxTrending        = 200
	defaultTrending    = 50
	maxCursorParameter = 4096 // longer is no cursor of ours, whatever it says
)

func (a *API) page(c echo.Context) error {
	params := httpserver.NewQuery(c, "limit", "cursor", "algo", "explain", "since")
	q := Query{
		User: httpserver.UserID(c), Limit: params.Int("limit", 1, maxLimit, defaultLimit),
		Cursor: params.String("cursor", maxCursorParameter), Explain: params.Bool("explain"), Algo: cursor.Ranked,
	}
	if q.Explain && a.feed.cfg.Explain != Everybody && !httpserver.IsAdmin(c) {
		q.Explain, q.Words = false, true
	}
	if params.OneOf("algo", "ranked", "ch", "timeline") == "timeline" {
		q.Algo = cursor.Timeline
	}
	since := params.String("since", 64)
	if err := params.Err(); err != nil {
		return err
	}
	if params.Has("since") {
		return a.waiting(c, q, since)
	}
	return a.feed.serve(c.Request().Context(), feedStages, q, func(r *request) error { return a.write(c, r) })
}

// waiting answers how many new posts there are since a page was made.
func (a *API) waiting(c echo.Context, q Query, since string) error {
	at, err := a.feed.parseSince(since)
	switch {
	case err != nil:
		return err
	case q.Cursor != "":
		return core.InvalidField("since", "asks for a number of posts: it goes without cursor")
	}
	q.Since = at
	return a.feed.serve(c.Request().Context(), newPostsStages, q, func(r *request) error {
		return c.JSONBlob(http.StatusOK, appendNewPosts(nil, r.newPosts))
	})
}

func (a *API) trending(c echo.Context) error {
	params := httpserver.NewQuery(c, "window", "limit")
	window := params.OneOf("window", windowDay, windowHour, windowWeek)
	q := Query{
		User: httpserver.UserID(c), Limit: params.Int("limit", 1, maxTrending, defaultTrending),
		Algo: cursor.Ranked,
	}
	if err := params.Err(); err != nil {
		return err
	}
	q.Window = window
	return a.feed.serve(c.Request().Context(), trendingStages, q, func(r *request) error { return a.write(c, r) })
}

func (a *API) write(c echo.Context, r *request) error {
	buffer, _ := a.buffers.Get().(*[]byte)
	defer a.buffers.Put(buffer)
	*buffer = appendPage((*buffer)[:0], r, a.feed.cursors, a.feed.tokens)
	c.Response().Header()[echo.HeaderContentLength] = []string{strconv.Itoa(len(*buffer))} // else it goes in chunks
	return c.JSONBlob(http.StatusOK, *buffer)
}
