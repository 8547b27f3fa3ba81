package deadletter

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// API offers the letters to people with the admin scope.
type API struct {
	service   *Service
	orders    *Orders
	scheduler Scheduler
}

// Scheduler has the job run now.
type Scheduler interface {
	Wake(ctx context.Context) error
}

// NewAPI makes the API.
func NewAPI(service *Service, orders *Orders, scheduler Scheduler) *API {
	return &API{service: service, orders: orders, scheduler: scheduler}
}

// Routes are the calls of the API.
func (a *API) Routes() []httpserver.Route {
	const path = "/admin/v1/dead-letters"
	return []httpserver.Route{
		{Method: http.MethodGet, Path: path, Access: httpserver.Admin, Handler: a.list},
		{Method: http.MethodGet, Path: path + "/:id", Access: httpserver.Admin, Handler: a.show},
		{
			Method: http.MethodPost, Path: path + "/:id/look", Access: httpserver.Admin, Reads: true,
			What: "dead_letters.look", Handler: a.show,
		},
		{Method: http.MethodGet, Path: path + "/orders", Access: httpserver.Admin, Handler: a.lastOrders},
		{
			Method: http.MethodPost, Path: path + "/replay", Access: httpserver.Admin, What: "dead_letters.replay",
			Handler: func(c echo.Context) error { return a.act(c, Replayed, a.service.Replay) },
		},
		{
			Method: http.MethodPost, Path: path + "/discard", Access: httpserver.Admin, What: "dead_letters.discard",
			Handler: func(c echo.Context) error { return a.act(c, Discarded, a.service.Discard) },
		},
	}
}

// letterJSON is a letter in an answer. A key or value that is no text is base64, and says so.
type letterJSON struct {
	ID        string            `json:"id"`
	Topic     string            `json:"topic"`
	Epoch     uint16            `json:"epoch"`
	Partition int32             `json:"partition"`
	Offset    string            `json:"offset"`
	Reason    string            `json:"reason"`
	Detail    string            `json:"detail"`
	At        time.Time         `json:"at"`
	Timestamp *time.Time        `json:"record_timestamp,omitempty"`
	Version   string            `json:"version"`
	State     State             `json:"state"`
	MarkedAt  *time.Time        `json:"marked_at,omitempty"`
	Bytes     int               `json:"bytes"`
	Truncated bool              `json:"truncated,omitempty"`
	Key       *bytesJSON        `json:"key,omitempty"`
	Value     *bytesJSON        `json:"value,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
}

type bytesJSON struct {
	Text   string `json:"text,omitempty"`
	Base64 []byte `json:"base64,omitempty"`
}

func bytesOf(b []byte) *bytesJSON {
	switch {
	case b == nil:
		return nil
	case utf8.Valid(b):
		return &bytesJSON{Text: string(b)}
	default:
		return &bytesJSON{Base64: b}
	}
}

// MarshalJSON gives a letter as the API does.
func (e *Entry) MarshalJSON() ([]byte, error) { return json.Marshal(toJSON(e)) }

func toJSON(e *Entry) letterJSON {
	out := letterJSON{
		ID: e.ID().String(), Topic: e.Topic, Epoch: e.Epoch, Partition: e.Partition,
		Offset: strconv.FormatInt(e.Offset, 10),
		Reason: e.Reason, Detail: e.Detail, At: e.At, Version: e.Version, State: e.State, Bytes: e.Bytes,
		Truncated: e.Truncated > 0,
		Key:       bytesOf(e.Key), Value: bytesOf(e.Value),
	}
	if !e.Timestamp.IsZero() {
		out.Timestamp = &e.Timestamp
	}
	if !e.MarkedAt.IsZero() {
		at := e.MarkedAt.UTC()
		out.MarkedAt = &at
	}
	for _, h := range e.Headers {
		if out.Headers == nil {
			out.Headers = map[string]string{}
		}
		out.Headers[string(h.Key)] = string(h.Value)
	}
	return out
}

const maxPage = 500

func (a *API) list(c echo.Context) error {
	q := httpserver.NewQuery(c, "queue", "state", "reason", "topic", "partition", "since", "until", "order", "cursor",
		"limit")
	queue := q.OneOf("queue", a.service.Queues()...)
	wanted := Filter{
		State:  State(q.OneOf("state", string(Open), string(Replayed), string(Discarded), "any")),
		Reason: q.String("reason", 64),
		Topic:  q.String("topic", 249),
	}
	if n := int32(q.Int("partition", 0, 65535, -1)); n >= 0 {
		wanted.Partition = &n
	}
	if wanted.State == "any" {
		wanted.State = ""
	}
	order := Sort(q.OneOf("order", string(Oldest), string(Newest), string(ByReason), string(Largest)))
	cursor, limit := q.Int("cursor", 0, 1<<62, 0), q.Int("limit", 1, maxPage, 50)
	if since := q.Time("since"); since != nil {
		wanted.Since = *since
	}
	if until := q.Time("until"); until != nil {
		wanted.Until = *until
	}
	if err := q.Err(); err != nil {
		return err
	}
	page, more, total, err := a.service.List(c.Request().Context(), queue, wanted, order, int64(cursor),
		limit)
	if err != nil {
		return problem(err)
	}
	letters, next := make([]letterJSON, len(page)), ""
	for i, e := range page {
		letters[i] = toJSON(e)
	}
	if more > 0 {
		next = strconv.FormatInt(more, 10)
	}
	return c.JSON(http.StatusOK, listing{httpserver.ListOf(letters, next), total})
}

// listing is a page of letters, and how many match in all.
type listing struct {
	httpserver.List[letterJSON]
	Total int `json:"total"`
}

func (a *API) show(c echo.Context) error {
	q := httpserver.NewQuery(c, "queue")
	queue := q.OneOf("queue", a.service.Queues()...)
	if err := q.Err(); err != nil {
		return err
	}
	id, err := ParseID(c.Param("id"))
	if err != nil {
		return core.InvalidField("id", "want topic:epoch:partition:offset, as the list gives it")
	}
	e, err := a.service.Show(c.Request().Context(), queue, id)
	if err != nil {
		return problem(err)
	}
	return c.JSON(http.StatusOK, toJSON(e))
}

// orderJSON is the body of a replay or a discard. It must have a filter, so that nobody replays a whole
// queue by a slip.
type orderJSON struct {
	Queue     string    `json:"queue"`
	IDs       []string  `json:"ids"`
	Reason    string    `json:"reason"`
	Topic     string    `json:"topic"`
	Partition *int32    `json:"partition"`
	Since     time.Time `json:"since"`
	Until     time.Time `json:"until"`
	DryRun    bool      `json:"dry_run"`
	Later     bool      `json:"background"` // as an order, whose progress can be asked for
}

// filter is which letters are meant.
func (o *orderJSON) filter() (Filter, error) {
	wanted := Filter{Reason: o.Reason, Topic: o.Topic, Partition: o.Partition, Since: o.Since, Until: o.Until}
	if len(o.IDs) > maxPage {
		return wanted, core.InvalidField("ids", "want at most %d", maxPage)
	}
	for _, text := range o.IDs {
		id, err := ParseID(text)
		if err != nil {
			return wanted, core.InvalidField("ids", "want topic:epoch:partition:offset, as the list gives them")
		}
		wanted.IDs = append(wanted.IDs, id)
	}
	if len(wanted.IDs) == 0 && wanted.Reason == "" && wanted.Topic == "" && wanted.Partition == nil &&
		wanted.Since.IsZero() && wanted.Until.IsZero() {
		return wanted, core.InvalidField("ids", "say which letters: ids, reason, topic, partition, since or until")
	}
	return wanted, nil
}

type action func(ctx context.Context, queue string, wanted Filter, dryRun bool,
	progress func(done, total int)) (Outcome, error)

// orderWant is what an order looks like.
const orderWant = `{"queue", "ids", "reason", "topic", "partition", "since", "until", "dry_run", "background"}, ` +
	"times as 2026-01-31T12:34:56Z"

func (a *API) act(c echo.Context, mark State, do action) error {
	order := orderJSON{Queue: queueEvents}
	if err := httpserver.ReadJSON(c, &order, orderWant); err != nil {
		return err
	}
	wanted, err := order.filter()
	if err != nil {
		return err
	}
	switch {
	case order.DryRun:
		httpserver.ChangedNothing(c)
	case order.Later:
		return a.order(c, order, mark, wanted)
	}
	outcome, err := do(c.Request().Context(), order.Queue, wanted, order.DryRun, nil)
	if err != nil {
		return problem(err)
	}
	httpserver.Changed(c, order, outcome)
	return c.JSON(http.StatusOK, outcome)
}

// order has the job do it.
func (a *API) order(c echo.Context, body orderJSON, mark State, wanted Filter) error {
	ctx := c.Request().Context()
	if _, err := a.service.topic(body.Queue); err != nil {
		return problem(err)
	}
	if mark == Replayed && body.Queue == queueCDC {
		return problem(ErrNoReplay)
	}
	order, err := a.orders.add(ctx, body.Queue, mark, wanted)
	if err != nil {
		return core.Unavailable("PostgreSQL", time.Second, err)
	}
	httpserver.Changed(c, body, order)
	if err := a.scheduler.Wake(ctx); err != nil {
		return err
	}
	return c.JSON(http.StatusAccepted, order)
}

func (a *API) lastOrders(c echo.Context) error {
	if err := httpserver.NewQuery(c).Err(); err != nil {
		return err
	}
	all, err := a.orders.last(c.Request().Context())
	if err != nil {
		return core.Unavailable("PostgreSQL", time.Second, err)
	}
	return c.JSON(http.StatusOK, httpserver.ListOf(all, ""))
}

func problem(err error) error {
	if errors.Is(err, ErrNotFound) {
		return &core.Error{Code: core.CodeNotFound, Message: err.Error()}
	}
	if errors.Is(err, ErrTooMany) || errors.Is(err, ErrNoReplay) {
		return &core.Error{Code: core.CodeConflict, Message: err.Error()}
	}
	return core.Unavailable("Kafka", time.Second, err)
}
