package order

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Scheduler has the job run now.
type Scheduler interface {
	Wake(ctx context.Context) error
}

// API lets operators ask for erasures.
type API struct {
	orders    *Orders
	users     core.KeyForm
	check     func(context.Context, core.Key) error
	scheduler Scheduler
}

// NewAPI makes the calls. users is what keys of users look like; check refuses a key whose number is another's.
func NewAPI(orders *Orders, users core.KeyForm, check func(context.Context, core.Key) error, s Scheduler) *API {
	return &API{orders: orders, users: users, check: check, scheduler: s}
}

// Routes are the admin calls. No address names a person, and the record does not either: it outlives them.
func (a *API) Routes() []httpserver.Route {
	const path = "/admin/v1/people/erase"
	return []httpserver.Route{
		{Method: http.MethodPost, Path: path, Access: httpserver.Admin, What: "people.erase", Handler: a.add},
		{Method: http.MethodGet, Path: path, Access: httpserver.Admin, Handler: a.list},
		{Method: http.MethodGet, Path: path + "/:id", Access: httpserver.Admin, Handler: a.show},
	}
}

func (a *API) add(c echo.Context) error {
	var wanted struct {
		User    string `json:"user"`
		ForEver bool   `json:"for_ever"`
	}
	if err := httpserver.ReadJSON(c, &wanted, `{"user": "…", "for_ever": true}`); err != nil {
		return err
	}
	user, err := a.users.Parse(wanted.User)
	if err != nil {
		return core.InvalidField("user", "%s", a.users.Want())
	}
	if !wanted.ForEver {
		return core.InvalidField("for_ever", "an erasure cannot be taken back: want true")
	}
	ctx := c.Request().Context()
	if err := a.check(ctx, user); err != nil {
		return err
	}
	order, err := a.orders.Add(ctx, user.String())
	if err != nil {
		return core.Unavailable("PostgreSQL", time.Second, err)
	}
	httpserver.Changed(c, nil, asked{order.ID})
	if err := a.scheduler.Wake(ctx); err != nil {
		return err
	}
	return c.JSON(http.StatusAccepted, order)
}

// asked is what is recorded of a call: nothing that would name the person.
type asked struct {
	ID int64 `json:"id,string"`
}

const maxPage = 500

func (a *API) list(c echo.Context) error {
	q := httpserver.NewQuery(c, "limit")
	limit := q.Int("limit", 1, maxPage, 50)
	if err := q.Err(); err != nil {
		return err
	}
	all, err := a.orders.Last(c.Request().Context(), limit)
	if err != nil {
		return core.Unavailable("PostgreSQL", time.Second, err)
	}
	return c.JSON(http.StatusOK, httpserver.ListOf(all, ""))
}

func (a *API) show(c echo.Context) error {
	if err := httpserver.NewQuery(c).Err(); err != nil {
		return err
	}
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return core.InvalidField("id", "want a number, as the list gives it")
	}
	order, err := a.orders.Of(c.Request().Context(), id)
	switch {
	case errors.Is(err, ErrUnknown):
		return &core.Error{Code: core.CodeNotFound, Message: err.Error()}
	case err != nil:
		return core.Unavailable("PostgreSQL", time.Second, err)
	}
	return c.JSON(http.StatusOK, order)
}
