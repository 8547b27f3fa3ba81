package httpapi

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/updates"
	"github.com/feedrank/feedrank/modules/platform/eventstream"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Updates is the stream of how many new posts wait.
type Updates struct {
	api     *API
	feed    *feed.Feed
	updates *updates.Updates
	streams *eventstream.Streams
}

// NewUpdates makes the call; api reads its times.
func NewUpdates(api *API, f *feed.Feed, u *updates.Updates, streams *eventstream.Streams) *Updates {
	return &Updates{api: api, feed: f, updates: u, streams: streams}
}

// Routes are the calls of users.
func (u *Updates) Routes() []httpserver.Route {
	return []httpserver.Route{{
		Method: http.MethodGet, Path: "/api/v1/feed/updates", Access: httpserver.User, NoLimit: true, Handler: u.open,
		End: u.streams.End,
	}}
}

func (u *Updates) open(c echo.Context) error {
	at, err := u.position(c)
	if err != nil {
		return err
	}
	stream, err := u.streams.Open(c)
	if err != nil {
		return err
	}
	first, end, err := u.updates.Watch(c.Request().Context(), httpserver.UserID(c), at, stream)
	if err != nil {
		stream.Cancel()
		return err
	}
	stream.OnEnd(end)
	return u.streams.Serve(c, stream, first)
}

// position is what the client has: what the stream said last that it lost, else the page that it shows, else nothing.
func (u *Updates) position(c echo.Context) (at updates.Position, err error) {
	params := httpserver.NewQuery(c, "since", "cursor")
	since, cursor := params.String("since", 64), params.String("cursor", maxCursorParameter)
	if err := params.Err(); err != nil {
		return at, err
	}
	if id := c.Request().Header.Get("Last-Event-ID"); id != "" {
		return updates.ParsePosition(id)
	}
	began := u.api.clock.Now().Truncate(time.Microsecond)
	switch {
	case params.Has("since") && params.Has("cursor"):
		return at, core.InvalidField("since", "says the same as cursor: send one of them")
	case params.Has("since"):
		began, err = u.api.parseSince(since)
	case params.Has("cursor"):
		began, err = u.feed.BeganAt(httpserver.UserID(c), cursor)
	}
	return updates.From(began), err
}
