package e2e

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	feedrank "github.com/feedrank/feedrank/modules/clients/go"
	"github.com/feedrank/feedrank/test/stack"
)

// network is the way to a server, which a test can cut.
type network struct {
	http.Transport
	cut   atomic.Bool
	calls atomic.Int64
}

var errCut = errors.New("the network is cut")

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.calls.Add(1)
	if n.cut.Load() {
		return nil, errCut
	}
	return n.Transport.RoundTrip(r)
}

// fast is a retry that does not keep a test waiting.
var fast = feedrank.Retry{Times: 3, Least: time.Millisecond, Most: 20 * time.Millisecond, MostAfter: 3 * time.Second}

// goClient is one of the viewer, over a network of its own.
func (p *program) goClient(token feedrank.TokenSource) (*feedrank.Client, *network) {
	p.t.Helper()
	n := &network{}
	p.t.Cleanup(n.CloseIdleConnections)
	c, err := feedrank.New(p.url, token, feedrank.WithHTTP(&http.Client{Transport: n}), feedrank.WithRetry(fast))
	require.NoError(p.t, err)
	return c, n
}

// drops notes what a recorder gave up.
type drops struct {
	mu  sync.Mutex
	all []error
}

func (d *drops) note(_ feedrank.Event, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, err)
}

func (d *drops) reasons() []error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]error(nil), d.all...)
}

func TestTheGoClientReadsFeedsSendsEventsAndFollowsUpdates(t *testing.T) {
	s := stack.New(t)
	p := start(t, settings(t, s, "all"))
	world(t, s)
	p.eventually("the seeded world reaches the feed", func() bool { // the viewer looks once all is there
		_, now := p.feed(20, "limit=100")
		return len(now.Items) == 60 &&
			s.Count(t, "SELECT count() AS n FROM viewer_edges FINAL WHERE viewer_id = 1 AND kind = 'follow'") == 9
	})
	ctx := t.Context()
	refreshed := 0
	c, net := p.goClient(func(_ context.Context, anew bool) (string, error) {
		if !anew {
			return "of before", nil
		}
		refreshed++
		return p.token(viewer, time.Hour), nil
	})

	var items []feedrank.Item
	posts := map[string]bool{}
	for item, err := range c.Items(ctx, feedrank.FeedOptions{Limit: 7}) {
		require.NoError(t, err)
		items, posts[item.Post] = append(items, item), true
	}
	require.GreaterOrEqual(t, len(posts), 30, "several pages")
	require.Len(t, items, len(posts), "no post twice")
	require.Positive(t, refreshed, "a token that is refused is asked for anew")
	before := net.calls.Load()
	for _, err := range c.Items(ctx, feedrank.FeedOptions{Limit: 7}) {
		require.NoError(t, err)
		break
	}
	require.LessOrEqual(t, net.calls.Load()-before, int64(2), "who stops asks for no further page")
	_, err := c.Trending(ctx, "1h", 5)
	require.NoError(t, err)
	_, err = c.SuggestedUsers(ctx, 5)
	require.NoError(t, err)
	require.NoError(t, c.Dismiss(ctx, "19", false))
	require.NoError(t, c.Dismiss(ctx, "19", true))

	_, err = c.Feed(ctx, feedrank.FeedOptions{Cursor: "nonsense"})
	var problem *feedrank.Error
	require.ErrorAs(t, err, &problem)
	require.Equal(t, feedrank.CodeInvalidCursor, problem.Code)
	require.Equal(t, http.StatusBadRequest, problem.Status)
	require.NotEmpty(t, problem.RequestID)
	_, err = c.Feed(ctx, feedrank.FeedOptions{Limit: 1000})
	require.ErrorAs(t, err, &problem)
	require.Equal(t, "limit", problem.Field)
	before = net.calls.Load()
	net.cut.Store(true)
	_, err = c.Feed(ctx, feedrank.FeedOptions{})
	require.ErrorIs(t, err, errCut)
	require.Equal(t, int64(4), net.calls.Load()-before, "asked again as often as it may")

	page, err := p.goFeed(c, net)
	require.NoError(t, err)
	var dropped drops
	r := c.NewRecorder(ctx, feedrank.RecorderOptions{Every: time.Millisecond, Batch: 3, Most: 5, Dropped: dropped.note})
	now := time.Now()
	net.cut.Store(true)
	for range 7 {
		r.Record(page.Items[0].Event(feedrank.Impression, now))
	}
	require.Equal(t, 5, r.Waiting())
	require.Equal(t, []error{feedrank.ErrFull, feedrank.ErrFull}, dropped.reasons())
	net.cut.Store(false)
	p.eventually("what waited is sent", func() bool { return r.Waiting() == 0 })
	wrong := page.Items[0].Event("stare", now)
	r.Record(wrong)
	r.Record(page.Items[1].Event(feedrank.Hide, now))
	require.NoError(t, r.Close(ctx))
	var rejected *feedrank.RejectedError
	require.ErrorAs(t, dropped.reasons()[2], &rejected)
	require.Equal(t, "unknown_action", rejected.Code)
	r.Record(wrong)
	require.ErrorIs(t, dropped.reasons()[3], feedrank.ErrClosed)
	p.eventually("the events count", func() bool {
		return s.Count(t, "SELECT count() AS n FROM events WHERE user_id = 1 AND feed_session != ''") == 6 ||
			s.Count(t, "SELECT count() AS n FROM events WHERE user_id = 1") == 6
	})

	told := make(chan feedrank.Waiting, 10)
	following, stop := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		for w, err := range c.Updates(following, page.AsOf) {
			if err == nil {
				told <- w
			}
		}
	})
	require.Equal(t, feedrank.Waiting{}, <-told)
	insertPost(t, s, 3)
	require.Equal(t, feedrank.Waiting{NewPosts: 1}, <-told)
	stop()
	done.Wait()
	w, err := c.NewPosts(ctx, page.AsOf)
	require.NoError(t, err)
	require.Equal(t, 1, w.NewPosts)
}

// goFeed is a page over a network that works again.
func (p *program) goFeed(c *feedrank.Client, n *network) (*feedrank.Page, error) {
	n.cut.Store(false)
	return c.Feed(p.t.Context(), feedrank.FeedOptions{Limit: 5})
}

func TestTheGoClientWaitsAsLongAsItIsTold(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "all")
	cfg.RateLimit.UserPerMinute = 30
	p := start(t, cfg)
	c, net := p.goClient(feedrank.StaticToken(p.token(viewer, time.Hour)))
	waited := false
	for range 100 {
		before, began := net.calls.Load(), time.Now()
		_, err := c.Feed(t.Context(), feedrank.FeedOptions{})
		var problem *feedrank.Error
		if errors.As(err, &problem) && problem.RetryAfter > fast.MostAfter {
			require.Equal(t, feedrank.CodeRateLimited, problem.Code)
			return // longer than it waits
		}
		require.NoError(t, err)
		if net.calls.Load()-before > 1 {
			waited = true
			require.GreaterOrEqual(t, time.Since(began), time.Second)
			break
		}
	}
	require.True(t, waited)
}

func TestTheGoClientsUpdatesOutliveAReplica(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "all")
	cfg.Feed.Updates.Retry = 100 * time.Millisecond
	p := start(t, cfg) // stays
	world(t, s)
	one := cfg
	one.Roles = []string{"api"}
	leaving, err := app.Start(t.Context(), one, zap.NewNop())
	require.NoError(t, err)
	p.eventually("the seeded world reaches the feed", func() bool {
		_, now := p.feed(viewer, "limit=100")
		return len(now.Items) == 60
	})
	stays, at := p.url, "http://"+leaving.Addr()
	balanced := &steered{}
	balanced.to.Store(&at)
	c, err := feedrank.New("http://feeds.test", feedrank.StaticToken(p.token(viewer, time.Hour)),
		feedrank.WithHTTP(&http.Client{Transport: balanced}), feedrank.WithRetry(fast))
	require.NoError(t, err)
	t.Cleanup(balanced.CloseIdleConnections)

	ctx, stop := context.WithCancel(t.Context())
	told := make(chan feedrank.Waiting, 10)
	var done sync.WaitGroup
	done.Go(func() {
		for w, err := range c.Updates(ctx, time.Now()) {
			if err == nil {
				told <- w
			}
		}
	})
	defer done.Wait()
	defer stop()
	require.Equal(t, feedrank.Waiting{}, <-told)
	balanced.to.Store(&stays)
	require.NoError(t, leaving.Stop())
	insertPost(t, s, 3)
	require.Equal(t, feedrank.Waiting{NewPosts: 1}, <-told, "told once, by another replica")
	require.Empty(t, told)
}

// steered sends requests to one replica or another.
type steered struct {
	http.Transport
	to atomic.Pointer[string]
}

func (b *steered) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Host = strings.TrimPrefix(*b.to.Load(), "http://")
	return b.Transport.RoundTrip(r)
}
