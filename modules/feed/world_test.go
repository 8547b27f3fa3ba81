package feed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/daily"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/heard"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/feed/tuning"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// world is a small social world in the real servers, and a feed over it. Its rows are written as the
// consumers write them; the feed is told of changes as the consumers tell it.
type world struct {
	*stack.Stack
	t        testing.TB
	clock    *movableClock
	cfg      feed.Config
	ranking  *rank.Live
	hot      *hot.Set
	feed     *feed.Feed
	signals  *feed.Signals
	heard    *heard.Edges
	waiting  []func() // what the consumers will do once ClickHouse is back
	redis    *redis.Client
	server   *httpserver.Server
	client   http.Client
	version  int
	ownKeys  bool // edges have keys of their own: of one that is gone, the tail knows the row alone
	guards   feed.Guards
	registry *prometheus.Registry
	lists    atomic.Pointer[map[string]feed.Trending] // what the trending job has published
	away     struct{ clickhouse, postgres, redis gate }

	questions atomic.Int64 // that computations put to ClickHouse
}

// counted counts questions.
type counted struct {
	feed.Graph
	n *atomic.Int64
}

func (c counted) Edges(ctx context.Context, viewer core.ID) ([]reserve.Author, error) {
	c.n.Add(1)
	return c.Graph.Edges(ctx, viewer)
}

func (c counted) Affinity(ctx context.Context, viewer core.ID, weights rank.Affinity) (graph.Acts, error) {
	c.n.Add(1)
	return c.Graph.Affinity(ctx, viewer, weights)
}

func (c counted) Marks(ctx context.Context, viewer core.ID, since time.Time) (hidden, seen []store.Mark, err error) {
	c.n.Add(1)
	return c.Graph.Marks(ctx, viewer, since)
}

// movableClock is the machine's clock plus an offset.
type movableClock struct{ offset atomic.Int64 }

func (c *movableClock) Now() time.Time {
	return time.Now().UTC().Add(time.Duration(c.offset.Load()))
}
func (c *movableClock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// gate is a guard that a test can close: the server behind it is then away.
type gate struct {
	closed atomic.Bool
	calls  atomic.Int64
	hold   atomic.Pointer[chan struct{}] // calls wait until it is closed
}

var errAway = errors.New("away")

func (g *gate) Do(ctx context.Context, call func(context.Context) error) error {
	g.calls.Add(1)
	if g.closed.Load() {
		return errAway
	}
	if hold := g.hold.Load(); hold != nil {
		<-*hold
	}
	return call(ctx)
}

func newWorld(t testing.TB, users int, change ...func(*feed.Config)) *world {
	t.Helper()
	return worldOn(t, stack.New(t), users, change...)
}

func worldOn(t testing.TB, s *stack.Stack, users int, change ...func(*feed.Config)) *world {
	t.Helper()
	w := &world{Stack: s, t: t, clock: &movableClock{}, cfg: feed.DefaultConfig()}
	w.cfg.CursorSecrets = []string{"a secret of at least 32 bytes, for tests"}
	patiently(&w.cfg)
	for _, f := range change {
		f(&w.cfg)
	}
	w.redis = redis.New(s.RedisConfig)
	t.Cleanup(w.redis.Close)
	w.start()
	w.ch("INSERT INTO partition_owners (fence, token, owner, claimed_at) VALUES (1, 7, 'test', now64(3))")
	w.sql("INSERT INTO users (id, name) SELECT i, 'user ' || i FROM generate_series(1, $1) i", users)
	return w
}

// patiently waits for every answer: a server that is merely slow, as on a busy machine, is what the
// tests of outages are about, and no others.
func patiently(cfg *feed.Config) {
	cfg.Budget, cfg.ComputeWait, cfg.ComputeBudget = 30*time.Second, 20*time.Second, 15*time.Second
}

// inTime answers within the product's own deadlines.
func inTime(cfg *feed.Config) {
	product := feed.DefaultConfig()
	cfg.Budget, cfg.ComputeWait, cfg.ComputeBudget = product.Budget, product.ComputeWait, product.ComputeBudget
}

// start makes a feed; again for a replica that was started anew.
func (w *world) start() {
	w.t.Helper()
	reg := prometheus.NewRegistry()
	w.registry = reg
	if w.guards.Redis == nil {
		w.guards = feed.Guards{ClickHouse: &w.away.clickhouse, Postgres: &w.away.postgres, Redis: &w.away.redis}
	}
	w.ranking = rank.NewLive(rank.DefaultConfig())
	source := hot.NewClickHouse(w.ClickHouse, core.CountedFromEvents())
	w.hot = hot.New(w.cfg.Hot, source, w.ranking, w.clock, hot.NewMetrics(reg), zap.NewNop())
	st := store.New(w.cfg.Store, w.redis)
	w.signals = feed.NewSignals(st, reg)
	if w.heard == nil { // a replica that starts anew reads what it had heard again
		w.heard = heard.New(w.clock, prometheus.NewRegistry())
	}
	f, err := feed.New(feed.Params{
		Config: w.cfg, Ranking: w.ranking, Hot: w.hot, Heard: w.heard, Store: st,
		Graph:    counted{graph.NewClickHouse(w.ClickHouse, core.CountedFromEvents(), w.cfg.MaxEdges, w.cfg.MaxAffinity), &w.questions},
		Fallback: graph.NewPostgres(w.Postgres, graph.DefaultTables(), w.cfg.MaxEdges), Weekly: source, Direct: source, Lists: w,
		Guards: w.guards,
		Clock:  w.clock, Registry: reg, Log: zap.NewNop(),
	})
	require.NoError(w.t, err)
	require.NoError(w.t, f.Start(context.Background()))
	w.t.Cleanup(func() { require.NoError(w.t, f.Stop(context.Background())) })
	w.feed = f
	tuner := tuning.New(w.Postgres, w.ranking, rank.DefaultConfig(), zap.NewNop())
	cfg := httpserver.DefaultConfig()
	cfg.Addr = "127.0.0.1:0"
	server := httpserver.New(cfg, slices.Concat(
		feed.NewAPI(f).Routes(), feed.NewAdmin(f, tuner).Routes(), feed.NewDays(daily.NewClickHouse(w.ClickHouse), f).Routes(),
	), userInHeader{}, userInHeader{}, nil, reg, zap.NewNop())
	require.NoError(w.t, server.Start(context.Background()))
	w.t.Cleanup(func() {
		w.client.CloseIdleConnections()
		require.NoError(w.t, server.Stop(context.Background()))
	})
	w.server = server
}

// userInHeader takes the Authorization header for the user's id.
type userInHeader struct{}

func (userInHeader) Drain() {}

func (userInHeader) Authenticate(h http.Header) (httpserver.Principal, error) {
	id, err := core.ParseID(h.Get("Authorization"))
	if err != nil {
		return httpserver.Principal{}, core.Errorf(core.CodeUnauthenticated, "no token")
	}
	return httpserver.Principal{UserID: id, Admin: id == 1}, nil
}

// Trending implements feed.Published.
func (w *world) Trending(_ context.Context, window string) (feed.Trending, error) {
	if all := w.lists.Load(); all != nil {
		return (*all)[window], nil
	}
	return feed.Trending{}, nil
}

// flush empties Redis.
func (w *world) flush() {
	w.t.Helper()
	conn, err := w.redis.Conn()
	require.NoError(w.t, err)
	require.NoError(w.t, conn.Do(context.Background(), conn.B().Flushall().Build()).Error())
}

// loseEverything ends the replica, so that it writes no more, empties Redis, and starts another.
func (w *world) loseEverything() {
	w.t.Helper()
	require.NoError(w.t, w.feed.Stop(context.Background()))
	w.flush()
	w.start()
	w.load()
}

// consume does what a consumer does: at once, or when ClickHouse is back.
func (w *world) consume(do func()) {
	w.t.Helper()
	if w.away.clickhouse.closed.Load() {
		w.waiting = append(w.waiting, do)
		return
	}
	do()
}

// back has ClickHouse back, and the consumers catch up.
func (w *world) back() {
	w.t.Helper()
	w.away.clickhouse.closed.Store(false)
	for _, do := range w.waiting {
		do()
	}
	w.waiting = nil
}

// record writes an event as the API and the consumer do, who tell the feed of it.
func (w *world) record(user int, action core.Action, author int, posts ...core.ID) {
	w.t.Helper()
	if action == core.ActionHide || action == core.ActionNotInterested {
		w.feed.Hide(context.Background(), core.ID(user), posts, w.clock.Now())
	}
	at := w.clock.Now()
	w.consume(func() { w.apply(user, action, author, at, posts...) })
}

func (w *world) apply(user int, action core.Action, author int, at time.Time, posts ...core.ID) {
	w.t.Helper()
	for _, p := range posts {
		w.ch("INSERT INTO events (kafka_partition, user_id, event_id, post_id, author_id, action, occurred_at, received_at, epoch, kafka_offset, fence, token) "+
			"VALUES (0, %d, generateUUIDv4(), %d, %d, '%s', %d, %d, 0, %d, 1, 7)", user, p, author, action, at.UnixMilli(), at.UnixMilli(), w.next())
	}
	w.observe(user, action, author, at, posts...)
}

// load brings the hot set up to date with ClickHouse.
func (w *world) load() {
	w.t.Helper()
	require.NoError(w.t, w.hot.Load(context.Background()))
}

func (w *world) sql(statement string, args ...any) {
	w.t.Helper()
	_, err := w.Postgres.Exec(context.Background(), statement, args...)
	require.NoError(w.t, err)
}

func (w *world) ch(statement string, args ...any) {
	w.t.Helper()
	body := fmt.Sprintf(statement, args...)
	require.NoError(w.t, w.ClickHouse.Write(context.Background(), clickhouse.Query{Name: "test", Query: ch.Query{Body: body}}), body)
}

func (w *world) next() int { w.version++; return w.version }

// post makes a post of some age, and the feed hears of it.
func (w *world) post(id, author int, age time.Duration) core.ID {
	w.t.Helper()
	created := w.clock.Now().Add(-age).Truncate(time.Microsecond)
	w.sql("INSERT INTO posts (id, author_id, created_at) VALUES ($1, $2, $3)", id, author, created)
	w.ch("INSERT INTO posts (id, author_id, created_at, version) VALUES (%d, %d, fromUnixTimestamp64Micro(%d, 'UTC'), %d)", id, author, created.UnixMicro(), w.next())
	w.hot.Apply([]core.Change{{Kind: core.PostPut, Post: core.Post{ID: core.ID(id), AuthorID: core.ID(author), CreatedAt: created}}})
	return core.ID(id)
}

func (w *world) deletePost(id int) {
	w.t.Helper()
	w.sql("DELETE FROM posts WHERE id = $1", id)
	w.ch("INSERT INTO posts (id, created_at, version, is_deleted) VALUES (%d, 0, %d, 1)", id, w.next())
	w.hot.Apply([]core.Change{{Kind: core.PostDeleted, Post: core.Post{ID: core.ID(id)}}})
}

func (w *world) edge(kind string, viewer, other, gone int) {
	w.t.Helper()
	version := w.next()
	w.consume(func() { w.writeEdge(kind, viewer, other, gone, version) })
}

func (w *world) writeEdge(kind string, viewer, other, gone, version int) {
	w.t.Helper()
	w.ch("INSERT INTO viewer_edges (viewer_id, kind, other_id, row_key, created_at, version, is_deleted) VALUES (%d, '%s', %d, '%d/%d', now64(6), %d, %d)",
		viewer, kind, other, viewer, other, version, gone)
}

func (w *world) changed(kind core.ChangeKind, viewer, other int) {
	w.t.Helper()
	change := core.Change{Kind: kind, Viewer: core.ID(viewer), Other: core.ID(other)}
	heardOf := change // by the tail, from Kafka
	heardOf.Row = rowOf(kind, viewer, other)
	if w.ownKeys && (kind == core.Unfollowed || kind == core.Unblocked || kind == core.Unmuted) {
		heardOf.Viewer, heardOf.Other = 0, 0
	}
	w.heard.Apply([]core.Change{heardOf})
	w.consume(func() { require.NoError(w.t, w.signals.Changed(context.Background(), []core.Change{change})) })
}

// rowOf names the row that an edge comes from.
func rowOf(kind core.ChangeKind, viewer, other int) string {
	table := map[core.ChangeKind]string{
		core.Followed: "follow", core.Unfollowed: "follow", core.Blocked: "block", core.Unblocked: "block", core.Muted: "mute", core.Unmuted: "mute",
	}[kind]
	return fmt.Sprintf("%s %d/%d", table, viewer, other)
}

func (w *world) follow(viewer int, others ...int) {
	w.t.Helper()
	for _, other := range others {
		w.sql("INSERT INTO follows (follower_id, followee_id) VALUES ($1, $2)", viewer, other)
		w.edge("follow", viewer, other, 0)
		w.changed(core.Followed, viewer, other)
	}
}

func (w *world) unfollow(viewer, other int) {
	w.t.Helper()
	w.sql("DELETE FROM follows WHERE follower_id = $1 AND followee_id = $2", viewer, other)
	w.edge("follow", viewer, other, 1)
	w.changed(core.Unfollowed, viewer, other)
}

func (w *world) block(viewer, other int) {
	w.t.Helper()
	w.sql("INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)", viewer, other)
	w.edge("block", viewer, other, 0)
	w.edge("blocked_by", other, viewer, 0)
	w.changed(core.Blocked, viewer, other)
}

func (w *world) unblock(viewer, other int) {
	w.t.Helper()
	w.sql("DELETE FROM blocks WHERE blocker_id = $1 AND blocked_id = $2", viewer, other)
	w.edge("block", viewer, other, 1)
	w.edge("blocked_by", other, viewer, 1)
	w.changed(core.Unblocked, viewer, other)
}

func (w *world) mute(viewer, other int) {
	w.t.Helper()
	w.sql("INSERT INTO mutes (muter_id, muted_id) VALUES ($1, $2)", viewer, other)
	w.edge("mute", viewer, other, 0)
	w.changed(core.Muted, viewer, other)
}

func (w *world) unmute(viewer, other int) {
	w.t.Helper()
	w.sql("DELETE FROM mutes WHERE muter_id = $1 AND muted_id = $2", viewer, other)
	w.edge("mute", viewer, other, 1)
	w.changed(core.Unmuted, viewer, other)
}

// engage adds to a post's counters of this hour.
func (w *world) engage(post, author, exposures, likes int) {
	w.t.Helper()
	w.ch("INSERT INTO post_metrics_1h (hour, post_id, kafka_partition, author_id, exposures, likes) VALUES (%d, %d, 0, %d, %d, %d)",
		w.clock.Now().Truncate(time.Hour).Unix(), post, author, exposures, likes)
}

// interact adds to what a user did with an author's posts.
func (w *world) interact(user, author, likes int) {
	w.t.Helper()
	w.ch("INSERT INTO user_author_90d (user_id, author_id, day, kafka_partition, likes) VALUES (%d, %d, today(), 0, %d)", user, author, likes)
}

func (w *world) event(user int, action core.Action, posts ...core.ID) {
	w.t.Helper()
	w.observe(user, action, 0, w.clock.Now(), posts...)
}

func (w *world) observe(user int, action core.Action, author int, at time.Time, posts ...core.ID) {
	w.t.Helper()
	events := make([]core.Event, len(posts))
	for i, p := range posts {
		events[i] = core.Event{UserID: core.ID(user), PostID: p, AuthorID: core.ID(author), Action: action, OccurredAt: at, ReceivedAt: at}
	}
	require.NoError(w.t, w.signals.Observe(context.Background(), events))
}

// page is the body of a feed's answer.
type page struct {
	Items []struct {
		Post      core.ID   `json:"post"`
		Author    core.ID   `json:"author"`
		CreatedAt time.Time `json:"created_at"`
		Score     float64   `json:"score"`
		Source    string    `json:"source"`

		FeedSession string `json:"feed_session"`
		Explain     *struct {
			Freshness   float64            `json:"freshness"`
			Engagement  float64            `json:"engagement"`
			Affinity    float64            `json:"affinity"`
			Weights     map[string]float64 `json:"weights"`
			Inputs      map[string]float64 `json:"inputs"`
			Adjustments []string           `json:"adjustments"`
			Position    struct{ Before, After int }
		} `json:"explain"`
	} `json:"items"`
	NextCursor *string `json:"next_cursor"`
	ServedFrom string  `json:"served_from"`
	Degraded   bool    `json:"degraded"`
	Algo       string  `json:"algo"`
	Sources    []struct {
		Name string `json:"name"`
		OK   bool   `json:"ok"`
	} `json:"sources"`
}

func (p page) posts() []core.ID {
	ids := make([]core.ID, len(p.Items))
	for i, item := range p.Items {
		ids[i] = item.Post
	}
	return ids
}

func (w *world) call(user int, path string) (int, []byte) {
	w.t.Helper()
	return w.do(http.MethodGet, user, path, "")
}

func (w *world) do(method string, user int, path, text string) (int, []byte) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, "http://"+w.server.Addr()+path, strings.NewReader(text))
	require.NoError(w.t, err)
	request.Header.Set("Authorization", strconv.Itoa(user))
	response, err := w.client.Do(request)
	require.NoError(w.t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(w.t, errors.Join(err, response.Body.Close()))
	return response.StatusCode, body
}

// get asks for a page and holds that it is one.
func (w *world) get(user int, query string) page {
	w.t.Helper()
	return w.list(user, "/api/v1/feed?"+query)
}

func (w *world) list(user int, path string) page {
	w.t.Helper()
	status, body := w.call(user, path)
	require.Equal(w.t, http.StatusOK, status, string(body))
	return w.parse(body)
}

func (w *world) parse(body []byte) page {
	w.t.Helper()
	var p page
	require.NoError(w.t, json.Unmarshal(body, &p), string(body))
	return p
}

// cached asks until the answer comes from the cache: entries are written after the answer.
func (w *world) cached(user int, query string) page {
	w.t.Helper()
	var p page
	wait.Until(w.t, func() bool {
		p = w.get(user, query)
		return p.ServedFrom == "cache"
	})
	return p
}

func (p page) next() string {
	if p.NextCursor == nil {
		return ""
	}
	return "cursor=" + url.QueryEscape(*p.NextCursor)
}

type problem struct{ Code, Field string }

func (w *world) refused(user int, path string) (int, problem) {
	w.t.Helper()
	status, body := w.call(user, path)
	var p problem
	require.NoError(w.t, json.Unmarshal(body, &p), string(body))
	return status, p
}
