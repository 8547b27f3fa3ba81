package feedrank

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

	"github.com/feedrank/feedrank/modules/core"
)

// TokenSource gives the bearer token of the user for whom the client calls. It is asked for each request, so it should
// remember one; anew says that the server has refused the last one.
type TokenSource func(ctx context.Context, anew bool) (string, error)

// StaticToken is always the same.
func StaticToken(token string) TokenSource {
	return func(context.Context, bool) (string, error) { return token, nil }
}

// Client calls feedrank for one user.
type Client struct {
	base  string
	token TokenSource
	http  *http.Client
	retry Retry
	clock core.Clock
}

// Option changes a client.
type Option func(*Client)

// WithHTTP has another HTTP client used. Its Timeout must be 0: it would end streams of updates.
func WithHTTP(c *http.Client) Option { return func(to *Client) { to.http = c } }

// WithRetry says how often and how fast to ask again.
func WithRetry(r Retry) Option { return func(to *Client) { to.retry = r } }

// ErrBase is returned for an address that is none.
var ErrBase = errors.New("want the address of the server, such as https://feeds.example")

// New makes a client of the server at base.
func New(base string, token TokenSource, options ...Option) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("%q: %w", base, ErrBase)
	}
	c := &Client{
		base: strings.TrimRight(base, "/"), token: token, http: &http.Client{}, retry: DefaultRetry(),
		clock: core.SystemClock{},
	}
	for _, option := range options {
		option(c)
	}
	return c, nil
}

const (
	maxAnswer = 16 << 20
	// answerWithin bounds one request; the server's own bound is lower.
	answerWithin = 30 * time.Second
)

// call asks, again if that may help, and reads the answer as JSON into out; nil: nothing is read.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body []byte, out any) error {
	return c.retry.run(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		response, err := c.send(ctx, method, path, query, body, nil)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if out == nil {
			return nil
		}
		text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		if err != nil {
			return fmt.Errorf("read the answer of %s: %w", path, err)
		}
		if err := json.Unmarshal(text, out); err != nil {
			return permanent{fmt.Errorf("read the answer of %s: %w", path, err)}
		}
		return nil
	})
}

// send asks once, and once more with another token where the first is refused. Its error is an *Error where the server
// answered.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, body []byte, header http.Header,
) (*http.Response, error) {
	for anew := false; ; anew = true {
		token, err := c.token(ctx, anew)
		if err != nil {
			return nil, permanent{fmt.Errorf("token: %w", err)}
		}
		address := c.base + path
		if len(query) > 0 {
			address += "?" + query.Encode()
		}
		request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
		if err != nil {
			return nil, permanent{err}
		}
		if header != nil {
			request.Header = header.Clone()
		}
		request.Header.Set("Authorization", "Bearer "+token)
		if body != nil {
			request.Header.Set("Content-Type", "application/json")
		}
		response, err := c.http.Do(request)
		if err != nil {
			return nil, err
		}
		if response.StatusCode < http.StatusMultipleChoices {
			return response, nil
		}
		problem := problemOf(response)
		_ = response.Body.Close() // it was read
		if problem.Status != http.StatusUnauthorized || anew {
			return nil, problem
		}
	}
}
