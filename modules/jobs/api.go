package jobs

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// API lets operators see the jobs and run them now, through any replica.
type API struct {
	history *History
	log     *zap.Logger
}

// NewAPI makes the calls.
func NewAPI(history *History, log *zap.Logger) *API { return &API{history: history, log: log} }

// Routes are the admin calls.
func (a *API) Routes() []httpserver.Route {
	return []httpserver.Route{
		{Method: http.MethodGet, Path: "/admin/v1/jobs", Access: httpserver.Admin, Handler: a.list},
		{
			Method: http.MethodPost, Path: "/admin/v1/jobs/:name/run", Access: httpserver.Admin, What: "job.run",
			Handler: a.run,
		},
	}
}

type listing struct {
	httpserver.List[Entry]
	Leader *Leader `json:"leader"` // null: nobody ever led
}

func (a *API) list(c echo.Context) error {
	q := httpserver.NewQuery(c, "runs")
	runs := q.Int("runs", 0, 1000, 5)
	if err := q.Err(); err != nil {
		return err
	}
	leader, err := a.history.Leader(c.Request().Context())
	if err != nil {
		return unavailable(err)
	}
	var out listing
	if leader.Number > 0 {
		out.Leader = &leader
	}
	all, err := a.history.List(c.Request().Context(), runs)
	if err != nil {
		return unavailable(err)
	}
	out.List = httpserver.ListOf(all, "")
	return c.JSON(http.StatusOK, out)
}

type requested struct {
	Job         string    `json:"job"`
	RequestedAt time.Time `json:"requested_at"`
	Leader      bool      `json:"leader_alive"` // false: it runs once somebody leads
}

func (a *API) run(c echo.Context) error {
	if err := httpserver.NewQuery(c).Err(); err != nil {
		return err
	}
	ctx, name := c.Request().Context(), c.Param("name")
	if !jobName.MatchString(name) {
		return core.Errorf(core.CodeNotFound, "there is no such job; GET /admin/v1/jobs lists them")
	}
	at, err := a.history.Request(ctx, name)
	if errors.Is(err, ErrUnknownJob) {
		return core.Errorf(core.CodeNotFound, "there is no such job; GET /admin/v1/jobs lists them")
	}
	if err != nil {
		return unavailable(err)
	}
	leader, err := a.history.Leader(ctx)
	if err != nil {
		return unavailable(err)
	}
	tracing.Log(ctx, a.log).Info("a run was requested by an operator", zap.String("job", name))
	answer := requested{Job: name, RequestedAt: at.UTC(), Leader: leader.Alive}
	httpserver.Changed(c, nil, answer)
	return c.JSON(http.StatusAccepted, answer)
}

func unavailable(err error) error { return core.Unavailable("PostgreSQL", time.Second, err) }
