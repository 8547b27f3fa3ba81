package feedrank

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// Action is what a user did with a post.
type Action string

// The actions. Unhide takes Hide and NotInterested back.
const (
	Impression    Action = "impression"
	View          Action = "view"
	Click         Action = "click"
	Like          Action = "like"
	Unlike        Action = "unlike"
	Comment       Action = "comment"
	Share         Action = "share"
	Dwell         Action = "dwell"
	Hide          Action = "hide"
	NotInterested Action = "not_interested"
	Unhide        Action = "unhide"
)

// Event is something that a user did. Its id makes it count once, however often it is sent.
type Event struct {
	ID          string    `json:"event_id"` // a UUID
	Action      Action    `json:"action"`
	Post        string    `json:"post"`
	Author      string    `json:"author"`
	OccurredAt  time.Time `json:"occurred_at"`
	DwellMillis int64     `json:"dwell_ms,omitempty"`
	FeedSession string    `json:"feed_session,omitempty"`
	Device      string    `json:"device,omitempty"`
	AppVersion  string    `json:"app_version,omitempty"`
}

// Event is one on this post, in the session in which it was served.
func (i *Item) Event(action Action, at time.Time) Event {
	return Event{
		ID: uuid.NewString(), Action: action, Post: i.Post, Author: i.Author, OccurredAt: at.UTC(),
		FeedSession: i.FeedSession,
	}
}

// Rejection is an event that the server did not take. To send it again does not help.
type Rejection struct {
	Index  int    `json:"index"` // in the batch
	Field  string `json:"field"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// Accepted is what became of a batch.
type Accepted struct {
	Accepted int         `json:"accepted"`
	Rejected []Rejection `json:"rejected"`
}

// MaxBatch is how many events a batch has at most.
const MaxBatch = 100

// SendEvents sends a batch, and returns when the server has it for good. A Recorder does it for a program that does not
// want to wait.
func (c *Client) SendEvents(ctx context.Context, events []Event) (out Accepted, err error) {
	body, err := json.Marshal(map[string][]Event{"events": events})
	if err != nil {
		return out, err
	}
	err = c.call(ctx, http.MethodPost, "/api/v1/events", nil, body, &out)
	return out, err
}
