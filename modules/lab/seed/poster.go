package seed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// What the events API takes in one call, and how patient we are with it.
const (
	maxBatch     = 100
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = 2 * time.Second
	maxAnswer    = 1 << 20
)

// PosterConfig says where the events API is and who may call it.
type PosterConfig struct {
	BaseURL     string                              // such as http://127.0.0.1:8080
	Token       func(user core.Key) (string, error) // a bearer token of that user
	Keys        Keys                                // of users and posts
	Client      *http.Client                        // with a timeout
	Concurrency int                                 // requests at once; 1 to 64
	// how long one batch is tried again while the API is not available
	Patience time.Duration
	Wait     func(ctx context.Context, d time.Duration) error // nil: by a timer
}

// Poster sends events through POST /api/v1/events, each batch as its user, as clients do. What the API
// has no room for (429, 503) or does not answer is sent again: the ids stay, so it counts once.
type Poster struct {
	cfg     PosterConfig
	retries atomic.Int64
}

var _ EventSink = (*Poster)(nil)

// NewPoster makes a poster.
func NewPoster(cfg PosterConfig) *Poster {
	if cfg.Wait == nil {
		cfg.Wait = worker.Pause
	}
	cfg.Concurrency = max(1, min(cfg.Concurrency, 64))
	return &Poster{cfg: cfg}
}

// Retries is how often a batch had to be sent again.
func (p *Poster) Retries() int64 { return p.retries.Load() }

// Send sends all events and returns when the API has accepted each. Runs of one user go together, at
// most 100 in a call.
func (p *Poster) Send(ctx context.Context, events []core.Event) error {
	calls, alive := errgroup.WithContext(ctx)
	calls.SetLimit(p.cfg.Concurrency)
	for len(events) > 0 && alive.Err() == nil {
		n := 1
		for n < len(events) && n < maxBatch && events[n].UserID == events[0].UserID {
			n++
		}
		batch := events[:n]
		events = events[n:]
		calls.Go(func() error { return p.post(alive, batch) })
	}
	if err := calls.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// post sends one batch until it is accepted, refused for good, or patience ends.
func (p *Poster) post(ctx context.Context, events []core.Event) error {
	body, err := encode(events, p.cfg.Keys)
	if err != nil {
		return err
	}
	token, err := p.cfg.Token(p.cfg.Keys.User(events[0].UserID))
	if err != nil {
		return fmt.Errorf("token of user %d: %w", events[0].UserID, err)
	}
	deadline := time.Now().Add(p.cfg.Patience)
	for backoff := firstBackoff; ; backoff = min(2*backoff, maxBackoff) {
		err := p.call(ctx, token, body, len(events))
		var later *unavailableError
		if err == nil || !errors.As(err, &later) || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
		p.retries.Add(1)
		if err := p.cfg.Wait(ctx, max(backoff, later.after)); err != nil {
			return err
		}
	}
}

// unavailableError is a failure that may be over soon.
type unavailableError struct {
	after time.Duration
	cause error
}

func (e *unavailableError) Error() string { return e.cause.Error() }
func (e *unavailableError) Unwrap() error { return e.cause }

// answer is what the API says to a batch.
type answer struct {
	Accepted int `json:"accepted"`
	Rejected []struct {
		Index  int    `json:"index"`
		Field  string `json:"field"`
		Code   string `json:"code"`
		Reason string `json:"reason"`
	} `json:"rejected"`
}

// ErrRejected is returned when the API answers but does not take an event.
var ErrRejected = errors.New("the events API does not take it")

func (p *Poster) call(ctx context.Context, token string, body []byte, events int) (err error) {
	url := strings.TrimSuffix(p.cfg.BaseURL, "/") + "/api/v1/events"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := p.cfg.Client.Do(req)
	if err != nil {
		return &unavailableError{cause: err}
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return &unavailableError{cause: fmt.Errorf("read the answer of %s: %w", url, err)}
	}
	switch res.StatusCode {
	case http.StatusAccepted:
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After")) // without one, our own pace
		return &unavailableError{
			after: time.Duration(min(max(seconds, 0), 30)) * time.Second,
			cause: statusError(url, res.StatusCode, text),
		}
	default:
		return statusError(url, res.StatusCode, text)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return fmt.Errorf("answer of %s: %w", url, err)
	}
	if len(a.Rejected) > 0 {
		r := a.Rejected[0]
		return fmt.Errorf("%w: event %d of %d: %s %s: %s", ErrRejected, r.Index, events, r.Field, r.Code, r.Reason)
	}
	if a.Accepted != events {
		return fmt.Errorf("%w: %d of %d accepted", ErrRejected, a.Accepted, events)
	}
	return nil
}

func statusError(url string, status int, text []byte) error {
	return fmt.Errorf("%w: %s answers %d: %.300s", ErrRejected, url, status, text)
}

// eventJSON is an event as clients send it.
type eventJSON struct {
	EventID    string    `json:"event_id"`
	Action     string    `json:"action"`
	PostID     core.Key  `json:"post_id"`
	AuthorID   core.Key  `json:"author_id"`
	OccurredAt time.Time `json:"occurred_at"`
	DwellMS    uint32    `json:"dwell_ms,omitempty"`
	Device     string    `json:"device,omitempty"`
	AppVersion string    `json:"app_version,omitempty"`
}

func encode(events []core.Event, keys Keys) ([]byte, error) {
	batch := make([]eventJSON, len(events))
	for i, e := range events {
		batch[i] = eventJSON{
			EventID: uuid.UUID(e.ID).String(), Action: e.Action.String(), PostID: keys.Post(e.PostID),
			AuthorID:   keys.User(e.AuthorID),
			OccurredAt: e.OccurredAt, DwellMS: e.DwellMillis, Device: e.Device, AppVersion: e.AppVersion,
		}
	}
	return json.Marshal(map[string]any{"events": batch})
}
