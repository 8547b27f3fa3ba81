package feedrank

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Item is a post of a feed. Ids are the app's own keys.
type Item struct {
	Post      string    `json:"post"`
	Author    string    `json:"author"`
	CreatedAt time.Time `json:"created_at"`
	Score     float64   `json:"score"`
	Source    string    `json:"source"` // why it is among the candidates: followees, affinity, trending, popular
	// FeedSession goes with events on the post: Item.Event sets it.
	FeedSession string          `json:"feed_session"`
	Explain     json.RawMessage `json:"explain"` // with FeedOptions.Explain
}

// Page is a page of a feed.
type Page struct {
	Items      []Item    `json:"items"`
	NextCursor string    `json:"next_cursor"` // empty: it is the last
	AsOf       time.Time `json:"as_of"`       // for Client.Updates and Client.NewPosts
	ServedFrom string    `json:"served_from"`
	Degraded   bool      `json:"degraded"` // a server was away: the page is right, and may be less fresh
	Algo       string    `json:"algo"`
}

// FeedOptions say which feed. The zero value is the first ranked page of the usual length.
type FeedOptions struct {
	Limit    int    // posts of a page, 1 to 100; 0: as many as the server says
	Cursor   string // NextCursor of the page before
	Timeline bool   // latest first, and complete, instead of ranked
	Explain  bool
	// Languages and Labels, where given, are those of which a post must have one: posts in German or English with the
	// tag go, say. Each page of a session has the same.
	Languages, Labels []string
}

func (o FeedOptions) query() url.Values {
	query := url.Values{}
	if o.Limit > 0 {
		query.Set("limit", strconv.Itoa(o.Limit))
	}
	if o.Cursor != "" {
		query.Set("cursor", o.Cursor)
	}
	if o.Timeline {
		query.Set("algo", "timeline")
	}
	if o.Explain {
		query.Set("explain", "true")
	}
	if len(o.Languages) > 0 {
		query.Set("lang", strings.Join(o.Languages, ","))
	}
	if len(o.Labels) > 0 {
		query.Set("labels", strings.Join(o.Labels, ","))
	}
	return query
}

// Feed is one page.
func (c *Client) Feed(ctx context.Context, o FeedOptions) (*Page, error) {
	return c.page(ctx, "/api/v1/feed", o.query())
}

func (c *Client) page(ctx context.Context, path string, query url.Values) (*Page, error) {
	var p Page
	if err := c.call(ctx, http.MethodGet, path, query, nil, &p); err != nil {
		return nil, err
	}
	return &p, nil
}

// Pages are the pages of one session, which neither repeat nor skip. It ends with the last one, or with the first
// error. CodeCursorExpired says that the session is too old: begin a new one.
func (c *Client) Pages(ctx context.Context, o FeedOptions) iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		for {
			p, err := c.Feed(ctx, o)
			if !yield(p, err) || err != nil || p.NextCursor == "" {
				return
			}
			o.Cursor = p.NextCursor
		}
	}
}

// Items are the posts of Pages, one after the other.
func (c *Client) Items(ctx context.Context, o FeedOptions) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for p, err := range c.Pages(ctx, o) {
			if err != nil {
				yield(Item{}, err)
				return
			}
			for _, item := range p.Items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// Trending is what is popular now; window is 1h, 24h or 7d, limit 1 to 200, and 0 as many as the server says.
func (c *Client) Trending(ctx context.Context, window string, limit int) (*Page, error) {
	query := url.Values{"window": {window}}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	return c.page(ctx, "/api/v1/feed/trending", query)
}

// Waiting is how many new posts there are.
type Waiting struct {
	NewPosts int  `json:"new_posts"`
	More     bool `json:"more"` // than that
}

// NewPosts counts once; Updates tells whenever the number is another.
func (c *Client) NewPosts(ctx context.Context, since time.Time) (w Waiting, err error) {
	err = c.call(ctx, http.MethodGet, "/api/v1/feed", url.Values{"since": {since.Format(time.RFC3339Nano)}}, nil, &w)
	return w, err
}

// Suggestion is somebody whom to follow.
type Suggestion struct {
	User   string  `json:"user"`
	Score  float64 `json:"score"`
	Reason struct {
		Kind  string   `json:"kind"`
		Count int      `json:"count"`
		Users []string `json:"users"`
	} `json:"reason"`
}

// SuggestedUsers are whom the user may want to follow; limit is 1 to 50, and 0 as many as the server says.
func (c *Client) SuggestedUsers(ctx context.Context, limit int) ([]Suggestion, error) {
	query := url.Values{}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	var list struct {
		Items []Suggestion `json:"items"`
	}
	err := c.call(ctx, http.MethodGet, "/api/v1/discover/suggested-users", query, nil, &list)
	return list.Items, err
}

// Dismiss takes somebody out of the suggestions, or with back lets them be suggested again.
func (c *Client) Dismiss(ctx context.Context, user string, back bool) error {
	method := http.MethodPost
	if back {
		method = http.MethodDelete
	}
	return c.call(ctx, method, "/api/v1/discover/suggested-users/"+url.PathEscape(user)+"/dismiss", nil, nil, nil)
}
