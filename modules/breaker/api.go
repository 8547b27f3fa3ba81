package breaker

import (
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// API lets operators read, force and reset breakers.
type API struct {
	set *Set
	log *zap.Logger
}

// NewAPI makes the calls.
func NewAPI(set *Set, log *zap.Logger) *API { return &API{set: set, log: log} }

// Routes are the admin calls.
func (a *API) Routes() []httpserver.Route {
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/admin/v1/breaker", Access: httpserver.Admin, Handler: a.list},
		{
			Method: http.MethodPut, Path: "/admin/v1/breaker/:dependency", Access: httpserver.Admin,
			What: "breaker.force", Handler: a.force,
		},
		{
			Method: http.MethodPost, Path: "/admin/v1/breaker/:dependency/reset", Access: httpserver.Admin,
			What: "breaker.reset", Handler: a.reset,
		},
	}
}

func (a *API) list(c echo.Context) error {
	if err := httpserver.NewQuery(c).Err(); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, httpserver.ListOf(a.set.Status(), ""))
}

func (a *API) force(c echo.Context) error {
	b, err := a.named(c)
	if err != nil {
		return err
	}
	var body struct {
		Mode Mode `json:"mode"`
	}
	if err := json.NewDecoder(c.Request().Body).Decode(&body); err != nil {
		return &core.Error{
			Code: core.CodeMalformedJSON, Message: `want {"mode": "auto"}, "open" or "closed"`,
			Cause: err,
		}
	}
	before := b.Status()
	switch body.Mode {
	case Auto, ForceOpen, ForceClosed:
		b.Force(body.Mode)
	default:
		return core.InvalidField("mode", "want auto, open or closed")
	}
	tracing.Log(c.Request().Context(), a.log).Warn("breaker forced by an operator",
		zap.String("dependency", b.name), zap.String("mode", string(body.Mode)))
	return changed(c, before, b.Status())
}

func (a *API) reset(c echo.Context) error {
	b, err := a.named(c)
	if err != nil {
		return err
	}
	before := b.Status()
	b.Reset()
	tracing.Log(c.Request().Context(), a.log).Warn("breaker reset by an operator", zap.String("dependency", b.name))
	return changed(c, before, b.Status())
}

func changed(c echo.Context, before, after Status) error {
	httpserver.Changed(c, before, after)
	return c.JSON(http.StatusOK, after)
}

func (a *API) named(c echo.Context) (*Breaker, error) {
	if err := httpserver.NewQuery(c).Err(); err != nil {
		return nil, err
	}
	b, ok := a.set.ByName(c.Param("dependency"))
	if !ok {
		return nil, core.Errorf(core.CodeNotFound,
			"no such dependency: want clickhouse, discovery, postgres, redis or kafka")
	}
	return b, nil
}
