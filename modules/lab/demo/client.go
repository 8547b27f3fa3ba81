package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/feedrank/feedrank/modules/core"
)

const maxBody = 4 << 20

// client calls the HTTP API as users do.
type client struct {
	base  string
	http  *http.Client
	token func(core.ID) (string, error)
}

func newClient(deps Deps) *client {
	c := &client{base: strings.TrimSuffix(deps.BaseURL, "/"), http: deps.HTTP, token: deps.Token}
	if c.http == nil {
		c.http = &http.Client{Timeout: 10 * time.Second}
	}
	return c
}

// statusError is an answer that is not what was asked for.
type statusError struct {
	call   string
	status int
	code   string
	detail string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s answers %d %s: %s", e.call, e.status, e.code, e.detail)
}

// feed reads the first page of a user's feed.
func (c *client) feed(ctx context.Context, user core.ID, limit int, explain bool) (*page, error) {
	query := url.Values{"limit": {fmt.Sprint(limit)}}
	if explain {
		query.Set("explain", "true")
	}
	text, err := c.call(ctx, user, http.MethodGet, "/api/v1/feed?"+query.Encode(), nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	p := &page{}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fmt.Errorf("feed of user %d: %w", user, err)
	}
	return p, nil
}

// act posts what a user did with posts, now.
func (c *client) act(ctx context.Context, user core.ID, action core.Action, posts ...target) error {
	events := make([]map[string]any, len(posts))
	for i, post := range posts {
		events[i] = map[string]any{
			"event_id": uuid.NewString(), "action": action.String(), "post": post.id, "author": post.author,
			"occurred_at": time.Now().UTC(), "device": "tour",
		}
	}
	body, err := json.Marshal(map[string]any{"events": events})
	if err != nil {
		return err
	}
	text, err := c.call(ctx, user, http.MethodPost, "/api/v1/events", body, http.StatusAccepted)
	if err != nil {
		return err
	}
	var answer struct {
		Accepted int               `json:"accepted"`
		Rejected []json.RawMessage `json:"rejected"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("answer to an event: %w", err)
	}
	if answer.Accepted != len(posts) {
		return fmt.Errorf("not every event was accepted: %s", bytes.Join(rawBytes(answer.Rejected), []byte(" ")))
	}
	return nil
}

func rawBytes(raw []json.RawMessage) [][]byte {
	out := make([][]byte, len(raw))
	for i, r := range raw {
		out[i] = r
	}
	return out
}

func (c *client) call(ctx context.Context, user core.ID, method, path string, body []byte, want int) (_ []byte,
	err error,
) {
	token, err := c.token(user)
	if err != nil {
		return nil, fmt.Errorf("token of user %d: %w", user, err)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if res.StatusCode != want {
		problem := struct{ Code, Detail string }{Detail: string(text[:min(len(text), 200)])}
		_ = json.Unmarshal(text, &problem) // what is no problem detail is shown as it is
		return nil, &statusError{
			call: method + " " + path, status: res.StatusCode, code: problem.Code,
			detail: problem.Detail,
		}
	}
	return text, nil
}
