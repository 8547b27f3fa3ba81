package suggest

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// API serves suggestions over HTTP.
type API struct{ service *Service }

// NewAPI makes the calls.
func NewAPI(service *Service) *API { return &API{service: service} }

// Routes are the calls of users.
func (a *API) Routes() []httpserver.Route {
	const path = "/api/v1/discover/suggested-users"
	return []httpserver.Route{
		{Method: http.MethodGet, Path: path, Access: httpserver.User, Handler: a.list},
		{
			Method: http.MethodPost, Path: path + "/:id/dismiss", Access: httpserver.User,
			Handler: a.change(a.service.Dismiss),
		},
		{
			Method: http.MethodDelete, Path: path + "/:id/dismiss", Access: httpserver.User,
			Handler: a.change(a.service.Undismiss),
		},
	}
}

// Limits of what a call returns.
const (
	defaultLimit = 20
	maxLimit     = 50
)

type listing struct {
	httpserver.List[Item]
	ServedFrom ServedFrom `json:"served_from"`
	Degraded   bool       `json:"degraded"`
}

func (a *API) list(c echo.Context) error {
	q := httpserver.NewQuery(c, "limit")
	limit := q.Int("limit", 1, maxLimit, defaultLimit)
	if err := q.Err(); err != nil {
		return err
	}
	answer := a.service.Suggest(c.Request().Context(), httpserver.UserID(c), limit)
	return c.JSON(http.StatusOK, listing{
		List: httpserver.ListOf(answer.Items, ""), ServedFrom: answer.ServedFrom,
		Degraded: answer.Degraded,
	})
}

// change dismisses somebody, or takes that back.
func (a *API) change(apply func(ctx context.Context, user, other core.ID) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := httpserver.NewQuery(c).Err(); err != nil {
			return err
		}
		other, err := core.ParseID(c.Param("id"))
		if err != nil {
			return core.InvalidField("id", "%s", err)
		}
		if err := apply(c.Request().Context(), httpserver.UserID(c), other); err != nil {
			return core.Unavailable("Redis", time.Second, err)
		}
		return c.NoContent(http.StatusNoContent)
	}
}
