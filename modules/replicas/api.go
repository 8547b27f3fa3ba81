package replicas

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// API lets operators see the replicas, and force breakers in all of them.
type API struct{ replicas *Replicas }

// NewAPI makes the calls.
func NewAPI(r *Replicas) *API { return &API{r} }

// Routes are the admin calls.
func (a *API) Routes() []httpserver.Route {
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/admin/v1/replicas", Access: httpserver.Admin, Handler: a.list},
		{
			Method: http.MethodPut, Path: "/admin/v1/replicas/breaker/:dependency", Access: httpserver.Admin,
			What: "breaker.force_all", Handler: a.force,
		},
	}
}

func (a *API) list(c echo.Context) error {
	if err := httpserver.NewQuery(c).Err(); err != nil {
		return err
	}
	cards, err := a.replicas.List(c.Request().Context())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, httpserver.ListOf(cards, ""))
}

// dependencies are those with a breaker. A process without breakers forces those of others.
var dependencies = []string{"clickhouse", "discovery", "postgres", "redis", "kafka"}

func (a *API) force(c echo.Context) error {
	if err := httpserver.NewQuery(c).Err(); err != nil {
		return err
	}
	dependency := c.Param("dependency")
	if !slices.Contains(dependencies, dependency) {
		return core.Errorf(core.CodeNotFound, "no such dependency: want clickhouse, discovery, postgres, redis or kafka")
	}
	var body struct {
		Mode string `json:"mode"`
	}
	if err := json.NewDecoder(c.Request().Body).Decode(&body); err != nil {
		return &core.Error{
			Code: core.CodeMalformedJSON, Message: `want {"mode": "auto"}, "open", "closed" or "reset"`, Cause: err,
		}
	}
	if !slices.Contains([]string{"auto", "open", "closed", "reset"}, body.Mode) {
		return core.InvalidField("mode", "want auto, open, closed or reset")
	}
	if err := a.replicas.Force(c.Request().Context(), dependency, body.Mode); err != nil {
		return err
	}
	answer := map[string]string{"dependency": dependency, "mode": body.Mode}
	httpserver.Changed(c, nil, answer)
	return c.JSON(http.StatusOK, answer)
}
