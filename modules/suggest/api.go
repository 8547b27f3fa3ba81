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
type API struct {
	service *Service
	keys    Keys
}

// Keys reads the keys of clients.
type Keys interface {
	User(ctx context.Context, text string) (core.ID, error)
	Texts(ctx context.Context, ids []core.ID) (map[core.ID]string, error)
}

// suggestion is an Item with the keys of those whom it names.
type suggestion struct {
	User   core.Key `json:"user"`
	Reason struct {
		Kind  Kind       `json:"kind"`
		Count int64      `json:"count,omitempty"`
		Users []core.Key `json:"users,omitempty"`
	} `json:"reason"`
	Score float64 `json:"score"`
}

// named leaves out whom nobody can name.
func (a *API) named(ctx context.Context, items []Item) []suggestion {
	var ids []core.ID
	for _, item := range items {
		ids = append(append(ids, item.User), item.Reason.Users...)
	}
	texts, _ := a.keys.Texts(ctx, ids)
	out := make([]suggestion, 0, len(items))
	for _, item := range items {
		s := suggestion{Score: item.Score}
		var named bool
		if s.User, named = item.User.Named(texts); !named {
			continue
		}
		s.Reason.Kind, s.Reason.Count = item.Reason.Kind, item.Reason.Count
		for _, user := range item.Reason.Users {
			if k, ok := user.Named(texts); ok {
				s.Reason.Users = append(s.Reason.Users, k)
			}
		}
		out = append(out, s)
	}
	return out
}

// NewAPI makes the calls.
func NewAPI(service *Service, keys Keys) *API { return &API{service: service, keys: keys} }

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
		{Method: http.MethodGet, Path: "/admin/v1/suggested-users", Access: httpserver.Admin, Handler: a.ofAnother},
	}
}

// Limits of what a call returns.
const (
	defaultLimit = 20
	maxLimit     = 50
)

type listing struct {
	httpserver.List[suggestion]
	ServedFrom ServedFrom `json:"served_from"`
	Degraded   bool       `json:"degraded"`
}

func (a *API) list(c echo.Context) error {
	q := httpserver.NewQuery(c, "limit")
	limit := q.Int("limit", 1, maxLimit, defaultLimit)
	if err := q.Err(); err != nil {
		return err
	}
	return a.answer(c, httpserver.UserID(c), limit)
}

// ofAnother shows operators what a user is suggested.
func (a *API) ofAnother(c echo.Context) error {
	q := httpserver.NewQuery(c, "user", "limit")
	user, limit := q.Key("user", a.keys.User), q.Int("limit", 1, maxLimit, defaultLimit)
	if err := q.Err(); err != nil {
		return err
	}
	if !q.Has("user") {
		return core.InvalidField("user", "is missing: say to whom")
	}
	return a.answer(c, user, limit)
}

func (a *API) answer(c echo.Context, user core.ID, limit int) error {
	answer := a.service.Suggest(c.Request().Context(), user, limit)
	return c.JSON(http.StatusOK, listing{
		List: httpserver.ListOf(a.named(c.Request().Context(), answer.Items), ""), ServedFrom: answer.ServedFrom,
		Degraded: answer.Degraded,
	})
}

// change dismisses somebody, or takes that back.
func (a *API) change(apply func(ctx context.Context, user, other core.ID) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := httpserver.NewQuery(c).Err(); err != nil {
			return err
		}
		other, err := a.keys.User(c.Request().Context(), c.Param("id"))
		if err != nil {
			return core.InvalidField("id", "%s", err)
		}
		if err := apply(c.Request().Context(), httpserver.UserID(c), other); err != nil {
			return core.Unavailable("Redis", time.Second, err)
		}
		return c.NoContent(http.StatusNoContent)
	}
}
