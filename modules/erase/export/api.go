package export

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// API hands out a person's data to operators.
type API struct {
	exporter *Exporter
	users    core.KeyForm
	log      *zap.Logger
}

// NewAPI makes the call. users is what keys of users look like.
func NewAPI(exporter *Exporter, users core.KeyForm, log *zap.Logger) *API {
	return &API{exporter: exporter, users: users, log: log.Named("export")}
}

// Routes are the admin calls. It is a POST, so that no address names a person, and one that is recorded: personal data
// leaves.
func (a *API) Routes() []httpserver.Route {
	return []httpserver.Route{{
		Method: http.MethodPost, Path: "/admin/v1/people/export", Access: httpserver.Admin, What: "people.export",
		Handler: a.export,
	}}
}

func (a *API) export(c echo.Context) error {
	var wanted struct {
		User string `json:"user"`
	}
	if err := httpserver.ReadJSON(c, &wanted, `{"user": "…"}`); err != nil {
		return err
	}
	user, err := a.users.Parse(wanted.User)
	if err != nil {
		return core.InvalidField("user", "%s", a.users.Want())
	}
	response := c.Response()
	response.Header().Set(echo.HeaderContentType, "application/x-ndjson")
	response.Header().Set(echo.HeaderContentDisposition, `attachment; filename="person.jsonl"`)
	response.WriteHeader(http.StatusOK)
	_, err = a.exporter.Run(c.Request().Context(), user, response, func(string, int64) {})
	if err != nil { // the last line says so, too
		tracing.Log(c.Request().Context(), a.log).Warn("the export of a person is not complete", zap.Error(err))
	}
	return nil
}
