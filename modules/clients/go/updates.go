package feedrank

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// silence is how long a stream may say nothing, heartbeats included; then it is opened again.
const silence = 90 * time.Second

// errSilent is of a stream that says nothing any more.
var errSilent = errors.New("the stream of updates is silent")

// Updates tells how many new posts wait since a page was made (Page.AsOf), at once and then whenever the number is
// another. A stream that is lost is opened again, and goes on where it was. It ends with ctx, or with an error that
// comes again: the last that it gives.
func (c *Client) Updates(ctx context.Context, since time.Time) iter.Seq2[Waiting, error] {
	return func(yield func(Waiting, error) bool) {
		s := updates{client: c, query: url.Values{"since": {since.Format(time.RFC3339Nano)}}, yield: yield}
		for failed := 0; ctx.Err() == nil && !s.done; {
			s.told = false
			err := s.read(ctx)
			if s.told {
				failed = 0
			}
			if s.done || ctx.Err() != nil {
				return
			}
			var giveUp permanent
			if errors.As(err, &giveUp) || err != nil && !temporary(err) {
				yield(Waiting{}, err)
				return
			}
			failed++
			pause := max(c.retry.pause(failed, err), s.retry)
			s.retry = 0
			_ = wait(ctx, pause) // the loop looks
		}
	}
}

// updates is one subscription, over all its streams.
type updates struct {
	client *Client
	query  url.Values
	last   string        // id of the last event
	retry  time.Duration // as the server says
	told   bool          // this stream said something
	done   bool          // nobody wants more
	yield  func(Waiting, error) bool
}

// read reads one stream to its end.
func (u *updates) read(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	alive := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer alive.Stop()
	header := http.Header{"Accept": {"text/event-stream"}}
	if u.last != "" {
		header.Set("Last-Event-ID", u.last)
	}
	response, err := u.client.send(ctx, http.MethodGet, "/api/v1/feed/updates", u.query, nil, header)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	var name, id string
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		alive.Reset(silence)
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			name = value
		case "id":
			id = value
		case "retry":
			if ms, err := strconv.Atoi(value); err == nil {
				u.retry = time.Duration(ms) * time.Millisecond
			}
		case "data":
			if name != "new_posts" {
				continue
			}
			var w Waiting
			if err := json.Unmarshal([]byte(value), &w); err != nil {
				return permanent{fmt.Errorf("read an update: %w", err)}
			}
			u.told, u.last = true, id
			if !u.yield(w, nil) {
				u.done = true
				return nil
			}
		case "":
			name = ""
		}
	}
	return lines.Err()
}
