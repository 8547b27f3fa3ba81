package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/published"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Preview shows operators what a user is served, and what the filters keep from them. It is in no statistics, and
// marks nothing as seen.
type Preview struct {
	feed *feed.Feed
	api  *API
	keys Keys
}

// NewPreview makes the calls; api writes their pages.
func NewPreview(f *feed.Feed, api *API, keys Keys) *Preview {
	return &Preview{feed: f, api: api, keys: keys}
}

// Routes are the admin calls.
func (p *Preview) Routes() []httpserver.Route {
	reads := func(path string, handler echo.HandlerFunc) httpserver.Route {
		return httpserver.Route{Method: http.MethodGet, Path: path, Access: httpserver.Admin, Handler: handler}
	}
	return []httpserver.Route{
		reads("/admin/v1/feed", p.page),
		reads("/admin/v1/feed/filtered", p.filtered),
		reads("/admin/v1/feed/trending", p.trending),
		reads("/admin/v1/feed/trending/reasons", p.trendReasons),
	}
}

func (p *Preview) page(c echo.Context) error {
	params := httpserver.NewQuery(c, "user", "limit", "cursor", "algo", "lang", "labels")
	q := feed.Query{
		User: params.Key("user", p.keys.User), Limit: params.Int("limit", 1, maxLimit, feed.DefaultLimit),
		Cursor: params.String("cursor", maxCursorParameter), Explain: true, Order: cursor.Ranked,
		Narrow: narrowing(params),
	}
	if params.OneOf("algo", "ranked", "ch", "timeline") == "timeline" {
		q.Order = cursor.Timeline
	}
	if err := params.Err(); err != nil {
		return err
	}
	if !params.Has("user") {
		return core.InvalidField("user", "is missing: say whose feed")
	}
	return p.feed.Preview(c.Request().Context(), q,
		func(made *page.Page) error { return p.api.write(c, made, page.Numbers) })
}

func (p *Preview) trending(c echo.Context) error {
	params := httpserver.NewQuery(c, "window", "limit")
	q := feed.Query{
		Window: params.OneOf("window", published.Day, published.Hour, published.Week),
		Limit:  params.Int("limit", 1, maxTrending, defaultTrending), Order: cursor.Ranked,
	}
	if err := params.Err(); err != nil {
		return err
	}
	return p.feed.Trends(c.Request().Context(), q,
		func(made *page.Page) error { return p.api.write(c, made, page.Plain) })
}

// trendReasons says what is behind the list of a window, and what was left out of it.
func (p *Preview) trendReasons(c echo.Context) error {
	params := httpserver.NewQuery(c, "window", "limit")
	window := params.OneOf("window", published.Day, published.Hour, published.Week)
	limit := params.Int("limit", 1, maxTrending, defaultTrending)
	if err := params.Err(); err != nil {
		return err
	}
	reasons, err := p.feed.TrendReasons(c.Request().Context(), window, limit)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, nameTrendReasons(c.Request().Context(), p.feed, reasons))
}

func (p *Preview) filtered(c echo.Context) error {
	params := httpserver.NewQuery(c, "user")
	user := params.Key("user", p.keys.User)
	if err := params.Err(); err != nil {
		return err
	}
	if !params.Has("user") {
		return core.InvalidField("user", "is missing: say whose feed")
	}
	all, err := p.feed.Filtered(c.Request().Context(), user)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, httpserver.ListOf(nameFiltered(c.Request().Context(), p.feed, all), ""))
}
