package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/feed/tuning"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Admin serves what operators and product people ask of the feed.
type Admin struct {
	feed    *feed.Feed
	ranking *rank.Live
	tuner   *tuning.Tuner
	keys    Keys
}

// NewAdmin makes the calls.
func NewAdmin(f *feed.Feed, ranking *rank.Live, tuner *tuning.Tuner, keys Keys) *Admin {
	return &Admin{feed: f, ranking: ranking, tuner: tuner, keys: keys}
}

// Routes are the admin calls.
func (a *Admin) Routes() []httpserver.Route {
	reads := func(method, path string, handler echo.HandlerFunc) httpserver.Route {
		return httpserver.Route{Method: method, Path: path, Access: httpserver.Admin, Handler: handler, Reads: true}
	}
	changes := func(method, path, what string, handler echo.HandlerFunc) httpserver.Route {
		return httpserver.Route{Method: method, Path: path, Access: httpserver.Admin, Handler: handler, What: what}
	}
	return []httpserver.Route{
		reads(http.MethodGet, "/admin/v1/why-not", a.whyNot),
		reads(http.MethodGet, "/admin/v1/ranking", a.inForce),
		changes(http.MethodPut, "/admin/v1/ranking", "ranking.change", a.change),
		reads(http.MethodPost, "/admin/v1/ranking/dry-run", a.dryRun),
		changes(http.MethodPost, "/admin/v1/ranking/rollback", "ranking.rollback", a.rollback),
		changes(http.MethodDelete, "/admin/v1/cache", "cache.drop_matching", a.dropAll),
		changes(http.MethodDelete, "/admin/v1/cache/:user", "cache.drop", a.drop),
	}
}

func (a *Admin) whyNot(c echo.Context) error {
	params := httpserver.NewQuery(c, "user", "post", "limit")
	user, post := params.Key("user", a.keys.User), params.Key("post", a.keys.Post)
	limit := params.Int("limit", 1, maxLimit, feed.DefaultLimit)
	if err := params.Err(); err != nil {
		return err
	}
	for _, name := range []string{"user", "post"} {
		if !params.Has(name) {
			return core.InvalidField(name, "is missing: say whose feed (user) and which post (post)")
		}
	}
	verdict, err := a.feed.WhyNot(c.Request().Context(), user, post, limit)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, nameWhyNot(c.Request().Context(), a.feed, verdict))
}

type rankingAnswer struct {
	Version uint64        `json:"version"`
	Ranking rank.Config   `json:"ranking"`
	History []tuning.Past `json:"history,omitempty"`
}

func (a *Admin) inForce(c echo.Context) error {
	params := httpserver.NewQuery(c, "history")
	limit := params.Int("history", 0, 100, 10)
	if err := params.Err(); err != nil {
		return err
	}
	now := a.ranking.Get()
	out := rankingAnswer{Version: now.Version, Ranking: now.Config}
	if limit > 0 {
		past, err := a.tuner.History(c.Request().Context(), limit)
		if err != nil {
			return err
		}
		out.History = past
	}
	return c.JSON(http.StatusOK, out)
}

// rankingChange is the body of a change and of a dry run. Constants that ranking does not name stay
// as they are.
type rankingChange struct {
	Version    uint64          `json:"version"` // the one that the author has seen
	Ranking    json.RawMessage `json:"ranking"`
	Note       string          `json:"note"`
	Users      []keyText       `json:"users"` // of a dry run
	users      []core.ID       // the same, read
	RollbackTo *uint64         `json:"rollback_to"` // of a rollback; 0 is the file's
}

const maxNote = 500

func (a *Admin) read(c echo.Context) (rankingChange, error) {
	var body rankingChange
	if err := httpserver.NewQuery(c).Err(); err != nil {
		return body, err
	}
	if err := strict(c.Request().Body, "", &body); err != nil {
		return body, err
	}
	if len(body.Note) > maxNote {
		return body, core.InvalidField("note", "longer than %d bytes", maxNote)
	}
	if len(body.Users) > feed.MaxDryRun {
		return body, core.InvalidField("users", "at most %d", feed.MaxDryRun)
	}
	for _, text := range body.Users {
		user, err := a.keys.User(c.Request().Context(), string(text))
		if err != nil {
			return body, core.InvalidField("users", "%.64q: %s", string(text), err)
		}
		body.users = append(body.users, user)
	}
	return body, nil
}

// merged is the ranking in force with the constants of a change.
func (a *Admin) merged(change json.RawMessage) (rank.Config, error) {
	cfg := a.ranking.Get().Config
	var constants map[string]json.RawMessage
	if json.Unmarshal(change, &constants) != nil || constants == nil {
		return cfg, core.InvalidField("ranking", "want an object with the constants to change")
	}
	if err := strict(bytes.NewReader(change), "ranking.", &cfg); err != nil {
		return cfg, err
	}
	return cfg, a.tuner.Validate(cfg)
}

func (a *Admin) change(c echo.Context) error {
	body, err := a.read(c)
	if err != nil {
		return err
	}
	cfg, err := a.merged(body.Ranking)
	if err != nil {
		return err
	}
	return a.putInForce(c, tuning.Change{Over: body.Version, To: cfg, By: httpserver.Who(c), Note: body.Note})
}

func (a *Admin) rollback(c echo.Context) error {
	body, err := a.read(c)
	if err != nil {
		return err
	}
	if body.RollbackTo == nil {
		return core.InvalidField("rollback_to", "want the version to go back to; 0 is the file's")
	}
	cfg, err := a.tuner.At(c.Request().Context(), *body.RollbackTo)
	if err != nil {
		return err
	}
	note := fmt.Sprintf("rollback to version %d", *body.RollbackTo)
	if body.Note != "" {
		note += ": " + body.Note
	}
	return a.putInForce(c, tuning.Change{Over: body.Version, To: cfg, By: httpserver.Who(c), Note: note})
}

func (a *Admin) putInForce(c echo.Context, change tuning.Change) error {
	before := a.ranking.Get()
	next, err := a.tuner.Change(c.Request().Context(), change)
	if err != nil {
		return err
	}
	answer := rankingAnswer{Version: next.Version, Ranking: next.Config}
	httpserver.Changed(c, rankingAnswer{Version: before.Version, Ranking: before.Config}, answer)
	return c.JSON(http.StatusOK, answer)
}

func (a *Admin) dryRun(c echo.Context) error {
	body, err := a.read(c)
	if err != nil {
		return err
	}
	cfg, err := a.merged(body.Ranking)
	if err != nil {
		return err
	}
	tried, err := a.feed.DryRun(c.Request().Context(), cfg, body.users)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, nameDryRun(c.Request().Context(), a.feed, tried))
}

func (a *Admin) drop(c echo.Context) error {
	if err := httpserver.NewQuery(c).Err(); err != nil {
		return err
	}
	user, err := a.keys.User(c.Request().Context(), c.Param("user"))
	if err != nil {
		return core.InvalidField("user", "%s", err)
	}
	if err := a.feed.Drop(c.Request().Context(), user); err != nil {
		return core.Unavailable("Redis", time.Second, err)
	}
	return c.NoContent(http.StatusNoContent)
}

// dropAll drops what a pattern matches, by default every cached reserve. What cannot be made again
// (what users saw and hid) is out of its reach.
func (a *Admin) dropAll(c echo.Context) error {
	params := httpserver.NewQuery(c, "pattern")
	pattern := params.String("pattern", 200)
	if err := params.Err(); err != nil {
		return err
	}
	if !params.Has("pattern") { // an empty one is a mistake
		pattern = store.AllReserves
	}
	dropped, err := a.feed.DropMatching(c.Request().Context(), pattern)
	switch {
	case errors.Is(err, store.ErrPattern):
		return core.InvalidField("pattern", "%s", err)
	case err != nil:
		return core.Unavailable("Redis", time.Second, err)
	}
	httpserver.Changed(c, map[string]string{"pattern": pattern}, map[string]int64{"dropped": dropped})
	return c.JSON(http.StatusOK, map[string]int64{"dropped": dropped})
}
