package replicas

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { stack.Main(m, embeddedtest.Only(embedded.Redis)) }

// modes are breakers that remember.
type modes struct {
	mu   sync.Mutex
	said []string
}

func (m *modes) Status() any { return []map[string]string{{"dependency": "redis", "state": "closed"}} }

func (m *modes) Force(dependency, mode string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said = append(m.said, dependency+" "+mode)
	return true
}

func (m *modes) all() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.said, ", ")
}

// settable is a clock that a test sets.
type settable struct {
	core.SystemClock
	mu    sync.Mutex
	ahead time.Duration
}

func (s *settable) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.SystemClock.Now().Add(s.ahead)
}

func (s *settable) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

func newReplica(t *testing.T, cfg redis.Config, clock core.Clock, breakers Breakers, roles ...string) *Replicas {
	t.Helper()
	return New(Process{Version: "1.2.3", Roles: roles}, breakers, stack.Redis(t, cfg), clock, zap.NewNop())
}

func config(t *testing.T) redis.Config {
	t.Helper()
	cfg := redis.DefaultConfig()
	embeddedtest.Stack(t)
	cfg.Addrs = []string{embeddedtest.NewRedis(t)}
	return cfg
}

func TestReplicasKnowEachOther(t *testing.T) {
	cfg, clock := config(t), &settable{}
	one, two := newReplica(t, cfg, clock, &modes{}, "api"), newReplica(t, cfg, clock, nil, "jobs")
	require.NoError(t, one.beat(t.Context()))
	require.NoError(t, two.beat(t.Context()))
	roles := func() (alive, gone []string) {
		cards, err := two.List(t.Context())
		require.NoError(t, err)
		for _, c := range cards {
			require.Equal(t, "1.2.3", c.Version)
			if c.Alive {
				alive = append(alive, c.Roles...)
			} else {
				gone = append(gone, c.Roles...)
			}
			if c.Roles[0] == "api" {
				require.JSONEq(t, `[{"dependency":"redis","state":"closed"}]`, string(c.Breakers))
			}
		}
		return alive, gone
	}
	alive, gone := roles()
	require.ElementsMatch(t, []string{"api", "jobs"}, alive)
	require.Empty(t, gone)
	clock.pass(aliveFor + time.Second)
	require.NoError(t, two.beat(t.Context()))
	alive, gone = roles()
	require.Equal(t, []string{"jobs"}, alive)
	require.Equal(t, []string{"api"}, gone)
	clock.pass(listedFor)
	require.NoError(t, two.beat(t.Context()))
	alive, gone = roles()
	require.Equal(t, []string{"jobs"}, alive)
	require.Empty(t, gone)
	require.NoError(t, two.Stop(t.Context()))
	alive, _ = roles()
	require.Empty(t, alive)
}

func TestWhatIsForcedHoldsInEveryReplica(t *testing.T) {
	cfg, clock := config(t), &settable{}
	first, second, late := &modes{}, &modes{}, &modes{}
	one, two := newReplica(t, cfg, clock, first, "api"), newReplica(t, cfg, clock, second, "api")
	pages := newReplica(t, cfg, clock, nil, "console")
	require.NoError(t, one.beat(t.Context()))
	for _, mode := range []string{"open", "auto", "reset"} {
		clock.pass(time.Second)
		require.NoError(t, pages.Force(t.Context(), "redis", mode), "by one that has none itself")
		require.NoError(t, one.beat(t.Context()))
		require.NoError(t, one.beat(t.Context()))
		require.NoError(t, two.beat(t.Context()))
	}
	require.Equal(t, "redis open, redis auto, redis reset", first.all(), "each once")
	require.Equal(t, "redis open, redis auto, redis reset", second.all())
	clock.pass(time.Second)
	require.NoError(t, one.Force(t.Context(), "kafka", "open"))
	require.Equal(t, "redis open, redis auto, redis reset, kafka open", first.all(), "at once where it was said")
	require.NoError(t, newReplica(t, cfg, clock, late, "api").beat(t.Context()))
	require.Equal(t, "kafka open", late.all(), "who starts later takes over what holds, and no more")
}

func TestAReplicaThatRunsTellsByItself(t *testing.T) {
	cfg := config(t)
	breakers := &modes{}
	one := newReplica(t, cfg, core.SystemClock{}, breakers, "api")
	require.NoError(t, one.Start(t.Context()))
	other := newReplica(t, cfg, core.SystemClock{}, nil, "console")
	wait.Until(t, func() bool {
		cards, err := other.List(t.Context())
		return err == nil && len(cards) == 1
	}, "it is listed")
	require.NoError(t, other.Force(t.Context(), "redis", "closed"))
	wait.Until(t, func() bool { return breakers.all() == "redis closed" }, "it hears")
	require.NoError(t, one.Stop(context.Background()))
}

func TestTheCallsOfReplicas(t *testing.T) {
	one := newReplica(t, config(t), core.SystemClock{}, &modes{}, "api")
	require.NoError(t, one.beat(t.Context()))
	api := NewAPI(one)
	call := func(dependency, body string) error {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/", strings.NewReader(body))
		c := echo.New().NewContext(r, httptest.NewRecorder())
		c.SetParamNames("dependency")
		c.SetParamValues(dependency)
		return api.force(c)
	}
	require.NoError(t, call("redis", `{"mode":"open"}`))
	require.Equal(t, core.CodeNotFound, core.CodeOf(call("none", `{"mode":"open"}`)))
	require.Equal(t, core.CodeMalformedJSON, core.CodeOf(call("redis", `{`)))
	require.Equal(t, core.CodeInvalidRequest, core.CodeOf(call("redis", `{"mode":"ajar"}`)))
	rec := httptest.NewRecorder()
	require.NoError(t, api.list(echo.New().NewContext(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/",
		nil), rec)))
	require.Contains(t, rec.Body.String(), `"version":"1.2.3","roles":["api"]`)
}
