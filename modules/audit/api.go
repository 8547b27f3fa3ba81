package audit

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// API lets operators read the last report and have an audit run now.
type API struct{ service *Service }

// NewAPI makes the calls.
func NewAPI(service *Service) *API { return &API{service: service} }

// Routes are the admin calls.
func (a *API) Routes() []httpserver.Route {
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/admin/v1/audit", Access: httpserver.Admin, Handler: a.last},
		{
			Method: http.MethodPost, Path: "/admin/v1/audit/run", Access: httpserver.Admin, What: "audit.run",
			Handler: a.run,
		},
	}
}

type state struct {
	Running bool    `json:"running"`
	OK      *bool   `json:"ok"`   // null: nothing was audited yet
	Last    *Report `json:"last"` // of whichever process
}

func (a *API) last(c echo.Context) error {
	if err := httpserver.NewQuery(c).Err(); err != nil {
		return err
	}
	var out state
	var err error
	if out.Running, err = a.service.store.running(c.Request().Context()); err != nil {
		return unavailable(err)
	}
	if out.Last, err = a.service.last(c.Request().Context()); err != nil {
		return unavailable(err)
	}
	if out.Last != nil {
		ok := out.Last.OK()
		out.OK = &ok
	}
	return c.JSON(http.StatusOK, out)
}

// order is the body of a run; it may be empty.
type order struct {
	Since  *string `json:"since"`
	Repair *bool   `json:"repair"`
}

type begun struct {
	Since  string `json:"since"`
	Repair bool   `json:"repair"`
}

func (a *API) run(c echo.Context) error {
	if err := httpserver.NewQuery(c).Err(); err != nil {
		return err
	}
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return err
	}
	var wanted order
	if len(body) > 0 {
		if err := json.Unmarshal(body, &wanted); err != nil {
			return &core.Error{
				Code:    core.CodeMalformedJSON,
				Message: `want nothing, or {"since": "24h", "repair": true}`, Cause: err,
			}
		}
	}
	options := a.service.Defaults()
	if wanted.Since != nil {
		if options.Since, err = time.ParseDuration(*wanted.Since); err != nil || ValidateSince(options.Since) != nil {
			return core.InvalidField("since", "want a duration from %s to %s, such as 24h", minSince, maxSince)
		}
	}
	if wanted.Repair != nil {
		options.Repair = *wanted.Repair
	}
	switch err := a.service.Begin(c.Request().Context(), options); {
	case errors.Is(err, ErrRunning):
		return core.Errorf(core.CodeConflict, "an audit is running already; GET /admin/v1/audit tells when it is done")
	case err != nil:
		return unavailable(err)
	}
	tracing.Log(c.Request().Context(), a.service.log).Info("an audit was begun by an operator",
		zap.Duration("since", options.Since), zap.Bool("repair", options.Repair))
	answer := begun{options.Since.String(), options.Repair}
	httpserver.Changed(c, nil, answer)
	return c.JSON(http.StatusAccepted, answer)
}

const (
	minSince = time.Hour
	maxSince = 30 * 24 * time.Hour
)

// ValidateSince tells whether an audit can look so far back.
func ValidateSince(since time.Duration) error {
	if since < minSince || since > maxSince {
		return core.InvalidField("since", "want from %s to %s", minSince, maxSince)
	}
	return nil
}

func unavailable(err error) error { return core.Unavailable("PostgreSQL", time.Second, err) }
