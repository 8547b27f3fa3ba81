package adminlog

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// API lists what operators did.
type API struct{ log *Log }

// NewAPI makes the calls.
func NewAPI(log *Log) *API { return &API{log: log} }

// Routes are the admin calls.
func (a *API) Routes() []httpserver.Route {
	return []httpserver.Route{{
		Method: http.MethodGet, Path: "/admin/v1/actions", Access: httpserver.Admin,
		Handler: a.list,
	}}
}

// Limits of what a call returns.
const (
	defaultLimit = 50
	maxLimit     = 500
	maxWho       = 200
)

func (a *API) list(c echo.Context) error {
	q := httpserver.NewQuery(c, "who", "what", "since", "until", "order", "cursor", "limit")
	wanted := Wanted{
		Who: q.String("who", maxWho), What: q.String("what", 64), Since: q.Time("since"), Until: q.Time("until"),
		After: int64(q.Int("cursor", 0, 1<<62, 0)), Oldest: q.OneOf("order", "newest", "oldest") == "oldest",
		Limit: q.Int("limit", 1, maxLimit, defaultLimit),
	}
	if err := q.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), writeTimeout)
	defer cancel()
	entries, more, err := a.log.List(ctx, wanted)
	if err != nil {
		return core.Unavailable("PostgreSQL", time.Second, err)
	}
	next := ""
	if more > 0 {
		next = strconv.FormatInt(more, 10)
	}
	return c.JSON(http.StatusOK, httpserver.ListOf(entries, next))
}
