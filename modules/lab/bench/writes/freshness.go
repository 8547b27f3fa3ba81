package writes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// Freshness is how long it takes until a cached feed shows what people did: from a like that is sent to
// the page that counts it, and from a commit that deletes a post, labels it or takes the label back, to the page that
// obeys.
func Freshness() harness.Bench {
	return harness.Bench{
		Name: "freshness", Says: "from an event, and from a commit in PostgreSQL, to the changed feed",
		Run: func(ctx context.Context, on *harness.Environment) error {
			on.File = filepath.Join(on.Logs, "labels.yaml")
			if err := os.WriteFile(on.File, []byte(labelled), 0o600); err != nil {
				return err
			}
			program, err := on.Serve(ctx, "program", "api,events-consumer,cdc-source,cdc-consumer",
				"rate_limit.user_per_minute=0",
				"rate_limit.address_per_minute=0", "events.bound.others_per_hour=0", "events.bound.likes_per_day=0",
				"events.bound.per_hour=0")
			if err != nil {
				return err
			}
			n := trials(on, 200)
			viewers, err := on.Viewers(harness.FeedPath+"?limit=50&explain=true", 0, 2*n)
			if err != nil {
				return err
			}
			c := harness.NewClient(program.Addr)
			defer c.Close()
			events, err := on.Trials(ctx, "event to feed", n, 4,
				func(ctx context.Context, i int) (time.Duration, error) {
					return likeShows(ctx, c, &viewers[i], viewers[n+i].Token, viewers[n:])
				})
			if err != nil {
				return err
			}
			commits, err := on.Trials(ctx, "commit to feed", n, 4,
				func(ctx context.Context, i int) (time.Duration, error) {
					return deleteShows(ctx, on, c, &viewers[n+i])
				})
			if err != nil {
				return err
			}
			posts, err := distinct(ctx, c, viewers[:n])
			if err != nil {
				return err
			}
			labels, err := on.Trials(ctx, "label to feed", n, 4,
				func(ctx context.Context, i int) (time.Duration, error) {
					return rewritten(ctx, on, c, &viewers[i], posts[i], "marked")
				})
			if err != nil {
				return err
			}
			takenBack, err := on.Trials(ctx, "label taken back to feed", n, 4,
				func(ctx context.Context, i int) (time.Duration, error) {
					return rewritten(ctx, on, c, &viewers[i], posts[i], "")
				})
			if err != nil {
				return err
			}
			on.Figure("event to the changed, cached feed: P95", "ms", 5000, 1000, events.P95)
			on.Note("  P50", "ms", events.P50)
			on.Figure("commit to the changed, cached feed: P95", "ms", 5000, 1000, commits.P95)
			on.Note("  P50", "ms", commits.P50)
			on.Figure("commit of a label to the feed narrowed to it: P95", "ms", 5000, 1000, labels.P95)
			on.Note("  P50", "ms", labels.P50)
			on.Figure("commit that takes it back: P95", "ms", 5000, 1000, takenBack.P95)
			on.Note("  P50", "ms", takenBack.P50)
			on.Note("trials of each", "", float64(n))
			return nil
		},
	}
}

// trials are how many: fewer where a short run was asked for.
func trials(on *harness.Environment, usual int) int {
	if on.For > 0 {
		return max(10, min(usual, int(on.For.Seconds()*10)))
	}
	return usual
}

// page is what a trial reads of a feed.
type page struct {
	Items      []item
	ServedFrom string `json:"served_from"`
}

type item struct {
	Post, Author string
	Explain      struct {
		Inputs struct{ Likes, Exposures int }
	}
}

// counts are the likes and exposures that a post is ranked by.
func (p *page) counts(post string) (likes, exposures int, there bool) {
	for _, item := range p.Items {
		if item.Post == post {
			return item.Explain.Inputs.Likes, item.Explain.Inputs.Exposures, true
		}
	}
	return 0, 0, false
}

var errNotCached = errors.New("the feed does not come from the cache")

func look(c harness.Client, r *harness.Request) (p page, err error) {
	failure := c.Do(r, func(body []byte) { err = json.Unmarshal(body, &p) })
	if failure != "" {
		return p, fmt.Errorf("%s: %s", r.Path, failure)
	}
	return p, err
}

// cachedPage is a page that comes from the cache, of a viewer who has looked before.
func cachedPage(ctx context.Context, c harness.Client, viewer *harness.Request) (p page, err error) {
	_, err = harness.Seen(ctx, "the feed is cached", func() (bool, error) {
		p, err = look(c, viewer)
		return p.ServedFrom == "cache" && len(p.Items) > 0, err
	})
	if err != nil {
		return p, fmt.Errorf("%w: %w", errNotCached, err)
	}
	return p, nil
}

// audience is how many people see a post before it is liked: reactions of a few count nowhere where hardly anybody saw
// the post.
const audience = 50

// errLeft says that no post stayed on the page after people had seen it.
var errLeft = errors.New("every post left the page after people had seen it")

// likeShows has people see the first post of the viewer's page, and then somebody else like it. What people see and
// leave alone is ranked lower: a post that leaves the page by that gives way to the next.
func likeShows(ctx context.Context, c harness.Client, viewer *harness.Request, other string,
	people []harness.Request,
) (time.Duration, error) {
	p, err := cachedPage(ctx, c, viewer)
	if err != nil {
		return 0, err
	}
	for _, post := range p.Items {
		// the world may be that of an earlier bench: a second like changes nothing
		if err := act(c, "unlike", other, post.Post, post.Author); err != nil {
			return 0, err
		}
		likes, stayed, err := isSeen(ctx, c, viewer, post, people[:min(audience, len(people))])
		if err != nil {
			return 0, err
		}
		if stayed {
			return likeCounts(ctx, c, viewer, other, post, likes)
		}
	}
	return 0, errLeft
}

// isSeen has people see a post, and waits until the page knows. It tells how many likes the post has then, and whether
// it is still on the page.
func isSeen(ctx context.Context, c harness.Client, viewer *harness.Request, post item, people []harness.Request,
) (likes int, stayed bool, err error) {
	for _, one := range people {
		if err := act(c, "impression", one.Token, post.Post, post.Author); err != nil {
			return 0, false, err
		}
	}
	_, err = harness.Seen(ctx, "the post was seen", func() (bool, error) {
		p, err := look(c, viewer)
		var exposures int
		likes, exposures, stayed = p.counts(post.Post)
		// of who is blocked none counts
		return !stayed || exposures >= post.Explain.Inputs.Exposures+len(people)/2, err
	})
	return likes, stayed, err
}

// likeCounts has somebody like a post, and tells how long it took until the page counts that.
func likeCounts(ctx context.Context, c harness.Client, viewer *harness.Request, other string, post item, before int,
) (time.Duration, error) {
	began := time.Now()
	if err := act(c, "like", other, post.Post, post.Author); err != nil {
		return 0, err
	}
	return harness.SeenSince(ctx, began, "the like counts", func() (bool, error) {
		p, err := look(c, viewer)
		now, _, there := p.counts(post.Post)
		if there {
			before = min(before, now)
		}
		return there && now > before, err
	})
}

// act sends an event of now.
func act(c harness.Client, action, token, post, author string) error {
	event := fmt.Appendf(nil,
		`{"events":[{"event_id":"%s","action":"%s","post":"%s","author":"%s","occurred_at":"%s"}]}`,
		uuid.New(), action, post, author, time.Now().UTC().Format(time.RFC3339Nano))
	failure := c.Do(&harness.Request{Method: http.MethodPost, Path: "/api/v1/events", Token: token, Body: event}, nil)
	if failure != "" {
		return fmt.Errorf("send an event: %s", failure)
	}
	return nil
}

// deleteShows deletes a post of the viewer's page in the app's table.
func deleteShows(ctx context.Context, on *harness.Environment, c harness.Client, viewer *harness.Request,
) (time.Duration, error) {
	p, err := cachedPage(ctx, c, viewer)
	if err != nil {
		return 0, err
	}
	post := p.Items[len(p.Items)/2].Post
	if _, err := on.Postgres.Exec(ctx, "UPDATE posts SET deleted_at = now() WHERE id = $1::text::bigint",
		post); err != nil {
		return 0, err
	}
	quoted := fmt.Appendf(nil, `"post":"%s"`, post)
	return harness.Seen(ctx, "the post is gone", func() (gone bool, err error) {
		failure := c.Do(viewer, func(body []byte) { gone = !bytes.Contains(body, quoted) })
		if failure != "" {
			return false, fmt.Errorf("%s: %s", viewer.Path, failure)
		}
		return gone, nil
	})
}

// labelled gives posts a label by a word in their text.
const labelled = `cdc: {tables: {post: {labels: [{label: marked, when: [{column: body, in: [marked]}]}]}}}
`

var errSame = errors.New("all of a viewer's posts are those of others")

// distinct chooses a post of each viewer's page, no two the same.
func distinct(ctx context.Context, c harness.Client, viewers []harness.Request) ([]string, error) {
	chosen, taken := make([]string, len(viewers)), map[string]bool{}
	for i := range viewers {
		p, err := cachedPage(ctx, c, &viewers[i])
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(p.Items, func(one item) bool { return !taken[one.Post] })
		if at < 0 {
			return nil, errSame
		}
		chosen[i] = p.Items[at].Post
		taken[chosen[i]] = true
	}
	return chosen, nil
}

// rewritten changes a post's text in the app's table, and tells how long it takes until the viewer's page of posts with
// the label has it, or has it no more.
func rewritten(ctx context.Context, on *harness.Environment, c harness.Client, viewer *harness.Request,
	post, text string,
) (time.Duration, error) {
	marked := *viewer
	marked.Path += "&labels=marked"
	began := time.Now()
	if _, err := on.Postgres.Exec(ctx, "UPDATE posts SET body = $2 WHERE id = $1::text::bigint", post,
		text); err != nil {
		return 0, err
	}
	return harness.SeenSince(ctx, began, "the narrowed page obeys", func() (bool, error) {
		p, err := look(c, &marked)
		_, _, has := p.counts(post)
		return has == (text == "marked"), err
	})
}
