package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// freshness is how long it takes until a cached feed shows what people did: from a like that is sent to
// the page that counts it, and from a commit that deletes a post to the page without it.
func freshness() Bench {
	return Bench{Name: "freshness", Says: "from an event, and from a commit in PostgreSQL, to the changed feed", Run: func(ctx context.Context, on *Stage) error {
		program, err := on.Serve(ctx, "program", "api,events-consumer,cdc-source,cdc-consumer")
		if err != nil {
			return err
		}
		n := on.trials(200)
		viewers, err := on.Viewers(feedPath+"?limit=50&explain=true", 0, 2*n)
		if err != nil {
			return err
		}
		c := newClient(program.Addr)
		defer c.http.CloseIdleConnections()
		events, err := on.Trials(ctx, "event to feed", n, 4, func(ctx context.Context, i int) (time.Duration, error) {
			return on.likeShows(ctx, c, &viewers[i], viewers[n+i].Token)
		})
		if err != nil {
			return err
		}
		commits, err := on.Trials(ctx, "commit to feed", n, 4, func(ctx context.Context, i int) (time.Duration, error) {
			return on.deleteShows(ctx, c, &viewers[n+i])
		})
		if err != nil {
			return err
		}
		on.Figure("event to the changed, cached feed: P95", "ms", 5000, 1000, events.P95)
		on.Note("  P50", "ms", events.P50)
		on.Figure("commit to the changed, cached feed: P95", "ms", 5000, 1000, commits.P95)
		on.Note("  P50", "ms", commits.P50)
		on.Note("trials of each", "", float64(n))
		return nil
	}}
}

// trials are how many: fewer where a short run was asked for.
func (on *Stage) trials(usual int) int {
	if on.For > 0 {
		return max(10, min(usual, int(on.For.Seconds()*10)))
	}
	return usual
}

// page is what a trial reads of a feed.
type page struct {
	Items []struct {
		Post, Author string
		Explain      struct{ Inputs struct{ Likes int } }
	}
	ServedFrom string `json:"served_from"`
}

func (p *page) likes(post string) (int, bool) {
	for _, item := range p.Items {
		if item.Post == post {
			return item.Explain.Inputs.Likes, true
		}
	}
	return 0, false
}

var errNotCached = errors.New("the feed does not come from the cache")

func look(c client, r *Request) (p page, err error) {
	failure := c.do(r, func(body []byte) { err = json.Unmarshal(body, &p) })
	if failure != "" {
		return p, fmt.Errorf("%s: %s", r.Path, failure)
	}
	return p, err
}

// cachedPage is a page that comes from the cache, of a viewer who has looked before.
func cachedPage(ctx context.Context, c client, viewer *Request) (p page, err error) {
	_, err = seen(ctx, "the feed is cached", func() (bool, error) {
		p, err = look(c, viewer)
		return p.ServedFrom == "cache" && len(p.Items) > 0, err
	})
	if err != nil {
		return p, fmt.Errorf("%w: %w", errNotCached, err)
	}
	return p, nil
}

// likeShows has somebody else like the first post of the viewer's page.
func (on *Stage) likeShows(ctx context.Context, c client, viewer *Request, other string) (time.Duration, error) {
	p, err := cachedPage(ctx, c, viewer)
	if err != nil {
		return 0, err
	}
	post := p.Items[0]
	event := fmt.Appendf(nil, `{"events":[{"event_id":"%s","action":"like","post_id":"%s","author_id":"%s","occurred_at":"%s"}]}`,
		uuid.New(), post.Post, post.Author, time.Now().UTC().Format(time.RFC3339Nano))
	began := time.Now()
	if failure := c.do(&Request{Method: http.MethodPost, Path: "/api/v1/events", Token: other, Body: event}, nil); failure != "" {
		return 0, fmt.Errorf("send an event: %s", failure)
	}
	return seenSince(ctx, began, "the like counts", func() (bool, error) {
		p, err := look(c, viewer)
		now, there := p.likes(post.Post)
		return there && now > post.Explain.Inputs.Likes, err
	})
}

// deleteShows deletes a post of the viewer's page in the app's table.
func (on *Stage) deleteShows(ctx context.Context, c client, viewer *Request) (time.Duration, error) {
	p, err := cachedPage(ctx, c, viewer)
	if err != nil {
		return 0, err
	}
	post := p.Items[len(p.Items)/2].Post
	if _, err := on.Postgres.Exec(ctx, "UPDATE posts SET deleted_at = now() WHERE id = $1::text::bigint", post); err != nil {
		return 0, err
	}
	quoted := fmt.Appendf(nil, `"post":"%s"`, post)
	return seen(ctx, "the post is gone", func() (gone bool, err error) {
		failure := c.do(viewer, func(body []byte) { gone = !bytes.Contains(body, quoted) })
		if failure != "" {
			return false, fmt.Errorf("%s: %s", viewer.Path, failure)
		}
		return gone, nil
	})
}
