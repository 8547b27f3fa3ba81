package quality

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/candidates"
	"github.com/feedrank/feedrank/modules/feed/daily"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/guards"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/httpapi"
	"github.com/feedrank/feedrank/modules/feed/published"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/recentedges"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/feed/viewer"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// replica is a feed at a moment that stands still.
type replica struct {
	t       *testing.T
	now     atomic.Int64 // microseconds since 1970
	away    atomic.Bool  // ClickHouse is
	store   *store.Store
	hot     *hot.Set
	signals *viewer.Signals
	url     string
	client  http.Client
}

// Now is the moment.
func (r *replica) Now() time.Time { return time.UnixMicro(r.now.Load()).UTC() }

// Do calls ClickHouse unless it is away.
func (r *replica) Do(ctx context.Context, call func(context.Context) error) error {
	if r.away.Load() {
		return errors.New("away")
	}
	return call(ctx)
}

// waitCached waits until a viewer's reserve is in the cache: it is written after the answer.
func (r *replica) waitCached(viewer core.ID) {
	r.t.Helper()
	wait.Until(r.t, func() bool { return r.get(viewer, "").ServedFrom == "cache" })
}

func newReplica(t *testing.T, s *stack.Stack, now time.Time) *replica {
	t.Helper()
	r := &replica{t: t}
	r.now.Store(now.UnixMicro())
	cfg, reg := feed.DefaultConfig(), prometheus.NewRegistry()
	cfg.TimelineHidesSeen = true // so do ranked feeds: orders are compared, not what is left out
	cfg.CursorSecrets = []string{"a secret of at least 32 bytes, for tests"}
	// figures must not depend on how busy the machine is
	cfg.Cache.Jitter, cfg.Budget, cfg.ComputeWait, cfg.ComputeBudget = 0, time.Minute, 20*time.Second, 20*time.Second
	for _, source := range []*candidates.SourceConfig{
		&cfg.Sources.Followees, &cfg.Sources.Affinity, &cfg.Sources.Trending,
		&cfg.Sources.Popular,
	} {
		source.Timeout = 10 * time.Second
	}
	live := rank.NewLive(rank.DefaultConfig())
	source := hot.NewClickHouse(s.ClickHouse, core.CountedFromEvents())
	set := hot.New(cfg.Hot, source, live, r, hot.NewMetrics(reg), zap.NewNop())
	require.NoError(t, set.Load(t.Context()))
	r.hot = set
	client := stack.Redis(t, s.RedisConfig)
	r.store = store.New(cfg.Store, client)
	r.signals = viewer.NewSignals(r.store, reg)
	f, err := feed.New(feed.Params{
		Config: cfg, Ranking: live, Hot: set, RecentEdges: recentedges.New(r, reg), Store: r.store,
		Graph: graph.NewClickHouse(s.ClickHouse, core.CountedFromEvents(), core.SystemClock{}, cfg.MaxEdges,
			cfg.MaxAffinity),
		Fallback: graph.NewPostgres(s.Postgres, graph.DefaultTables(), cfg.MaxEdges, graph.Names{}), Weekly: source,
		Direct: source,
		Lists:  published.Nothing{},
		Guards: guards.Guards{ClickHouse: r, Postgres: guards.Unguarded{}, Redis: guards.Unguarded{}},
		Clock:  r, Registry: reg, Log: zap.NewNop(),
	})
	require.NoError(t, err)
	require.NoError(t, f.Start(context.Background()))
	t.Cleanup(func() { require.NoError(t, f.Stop(context.Background())) })
	server := httpserver.DefaultConfig()
	server.Addr = "127.0.0.1:0"
	routes := append(httpapi.NewAPI(f, cfg, r).Routes(),
		httpapi.NewDays(daily.NewClickHouse(s.ClickHouse), f, r).Routes()...)
	running := httpserver.New(server, routes, userInHeader{}, userInHeader{}, nil, reg, zap.NewNop())
	require.NoError(t, running.Start(context.Background()))
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		require.NoError(t, running.Stop(context.Background()))
	})
	r.url = "http://" + running.Addr()
	return r
}

// userInHeader takes the Authorization header for the user's id.
type userInHeader struct{}

func (userInHeader) Drain() {}

func (userInHeader) Authenticate(h http.Header) (httpserver.Principal, error) {
	id, err := core.ParseID(h.Get("Authorization"))
	return httpserver.Principal{UserID: id}, err
}

// page is what is looked at.
type page struct {
	Items []struct {
		Post   core.ID `json:"post"`
		Author core.ID `json:"author"`
	} `json:"items"`
	ServedFrom string `json:"served_from"`
}

func (p page) posts() []core.ID {
	ids := make([]core.ID, len(p.Items))
	for i, item := range p.Items {
		ids[i] = item.Post
	}
	return ids
}

// places is how long a page is.
const places = 20

func (r *replica) get(viewer core.ID, query string) page {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+"/api/v1/feed?limit=20&"+query, nil)
	require.NoError(r.t, err)
	request.Header.Set("Authorization", viewer.String())
	response, err := r.client.Do(request)
	require.NoError(r.t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(r.t, errors.Join(err, response.Body.Close()))
	require.Equal(r.t, http.StatusOK, response.StatusCode, string(body))
	var p page
	require.NoError(r.t, json.Unmarshal(body, &p))
	return p
}
