package jobs_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/jobs"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/test/schema"
	"github.com/feedrank/feedrank/test/wait"
)

type database struct {
	t    *testing.T
	cfg  postgres.Config
	pool *pgxpool.Pool
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	pool, cfg := schema.New(t)
	db := &database{t: t, cfg: cfg, pool: pool}
	db.exec(gates)
	return db
}

func (db *database) exec(statement string) {
	db.t.Helper()
	_, err := db.pool.Exec(context.Background(), statement)
	require.NoError(db.t, err)
}

func (db *database) text(query string) string {
	db.t.Helper()
	var s string
	require.NoError(db.t, db.pool.QueryRow(context.Background(), query).Scan(&s))
	return s
}

// fast is a lead that moves on quickly.
func fast() jobs.Config {
	return jobs.Config{Beat: 100 * time.Millisecond, LeadTimeout: 2 * time.Second, History: 3}
}

// start runs jobs until stop is called, or the test ends.
func (db *database) start(lead postgres.Config, all ...jobs.Job) (reg *prometheus.Registry, stop func()) {
	db.t.Helper()
	reg = prometheus.NewRegistry()
	r, err := jobs.NewRunner(jobs.Params{
		Config: fast(), Jobs: all, Postgres: lead, Pool: db.pool, Clock: core.SystemClock{}, Log: zap.NewNop(),
		Registerer: reg,
	})
	require.NoError(db.t, err)
	require.NoError(db.t, r.Start(context.Background()))
	var once sync.Once
	stop = func() {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			require.NoError(db.t, r.Stop(ctx))
		})
	}
	db.t.Cleanup(stop)
	return reg, stop
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("waited in vain")
	}
	panic("not reached")
}

func TestAJobRunsByItsScheduleAndWhenAnOperatorAsks(t *testing.T) {
	db := newDatabase(t)
	often, seldom := make(chan int64, 100), make(chan int64, 100)
	tell := func(to chan int64) func(context.Context, int64) error {
		return func(_ context.Context, fence int64) error {
			to <- fence
			return nil
		}
	}
	reg, stop := db.start(db.cfg,
		jobs.Job{Name: "often", Every: time.Second, Jitter: 10, Timeout: time.Second, Run: tell(often)},
		jobs.Job{Name: "seldom", Every: time.Hour, Timeout: time.Second, Run: tell(seldom)})
	for range 4 {
		require.Equal(t, int64(1), receive(t, often))
	}
	receive(t, seldom)
	require.Empty(t, seldom, "an hour is not over")

	call := caller(t, db)
	rec, err := call(http.MethodPost, "/admin/v1/jobs/seldom/run")
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, rec.Code)
	require.Contains(t, rec.Body.String(), `"leader_alive":true`)
	receive(t, seldom)

	wait.Until(t, func() bool {
		return db.text("SELECT count(*) || '' FROM feedrank.job_runs WHERE job = 'seldom' AND outcome = 'ok'") == "2"
	})
	rec, err = call(http.MethodGet, "/admin/v1/jobs?runs=1")
	require.NoError(t, err)
	require.Contains(t, rec.Body.String(), `"alive":true`)
	require.Contains(t, rec.Body.String(), `"every_ms":3600000`)
	require.Contains(t, rec.Body.String(), `"cause":"request"`)
	require.NotContains(t, rec.Body.String(), `requested_at`, "it was answered")
	require.LessOrEqual(t, db.text("SELECT count(*) || '' FROM feedrank.job_runs WHERE job = 'often'"), "4",
		"history is bounded")
	require.InDelta(t, 1, testutil.ToFloat64(gauge(t, reg, "feedrank_jobs_leader")), 0)

	stop()
	wait.Until(t, func() bool { // the server notices a moment later that the connection has ended
		return db.text("SELECT (EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))::text") == "false"
	})
	for len(seldom) > 0 {
		<-seldom
	}
	_, stopped := db.start(db.cfg, jobs.Job{Name: "seldom", Every: time.Hour, Timeout: time.Second, Run: tell(seldom)},
		jobs.Job{Name: "probe", Every: time.Hour, Timeout: time.Second, Run: tell(often)})
	for receive(t, often) != 2 { // the next leader
	}
	stopped()
	require.Empty(t, seldom, "the next leader goes on with the schedule")
	require.Equal(t, "probe,seldom", db.text("SELECT string_agg(name, ',' ORDER BY name) FROM feedrank.jobs"))
	for path, code := range map[string]core.Code{
		"/admin/v1/jobs/often/run": core.CodeNotFound, "/admin/v1/jobs/%27/run": core.CodeNotFound,
		"/admin/v1/jobs/seldom/run?x=1": core.CodeInvalidRequest,
	} {
		_, err = call(http.MethodPost, path)
		require.Equal(t, code, core.CodeOf(err), path)
	}
}

func caller(t *testing.T, db *database) func(method, target string) (*httptest.ResponseRecorder, error) {
	t.Helper()
	e := echo.New()
	for _, r := range jobs.NewAPI(jobs.NewHistory(db.pool, 3), zap.NewNop()).Routes() {
		e.Add(r.Method, r.Path, r.Handler)
	}
	return func(method, target string) (*httptest.ResponseRecorder, error) {
		rec := httptest.NewRecorder()
		req := httptest.NewRequest(method, target, nil)
		c := e.NewContext(req, rec)
		e.Router().Find(method, req.URL.EscapedPath(), c)
		return rec, c.Handler()(c)
	}
}

func gauge(t *testing.T, reg *prometheus.Registry, name string) prometheus.Gauge {
	t.Helper()
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "copy", Help: "copy"})
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			g.Set(f.GetMetric()[0].GetGauge().GetValue())
		}
	}
	return g
}

func TestARunThatIsTooLongFailsOrPanicsIsRecordedAndTheOthersGoOn(t *testing.T) {
	db := newDatabase(t)
	hang := func(ctx context.Context, _ int64) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	db.start(db.cfg,
		jobs.Job{Name: "hangs", Every: time.Hour, Timeout: 100 * time.Millisecond, Run: hang},
		jobs.Job{
			Name: "fails", Every: time.Hour, Timeout: time.Minute,
			Run: func(context.Context, int64) error { return errors.New("no\x00 \xff luck") },
		},
		jobs.Job{
			Name: "panics", Every: time.Hour, Timeout: time.Minute,
			Run: func(context.Context, int64) error { panic("oh") },
		})
	wait.Until(t, func() bool {
		return db.text("SELECT coalesce(string_agg(job || ' ' || outcome, ', ' ORDER BY job), '') FROM feedrank.job_runs") == "fails failed, hangs timeout, panics failed"
	})
	require.Equal(t, "no? ? luck", db.text("SELECT detail FROM feedrank.job_runs WHERE job = 'fails'"))
}

func TestAJobNeverOverlapsWithItselfAndARequestMeanwhileIsKept(t *testing.T) {
	db := newDatabase(t)
	begun, finish := make(chan int64), make(chan struct{})
	reg, _ := db.start(db.cfg, jobs.Job{
		Name: "slow", Every: time.Second, Timeout: time.Minute,
		Run: func(ctx context.Context, fence int64) error {
			select {
			case begun <- fence:
			case <-ctx.Done():
				return ctx.Err()
			}
			select {
			case <-finish:
			case <-ctx.Done():
			}
			return nil
		},
	})
	receive(t, begun)
	wait.Until(t, func() bool {
		n, err := testutil.GatherAndCount(reg, "feedrank_jobs_skipped_total")
		return err == nil && n == 1
	})
	_, err := jobs.NewHistory(db.pool, 3).Request(t.Context(), "slow")
	require.NoError(t, err)
	require.Equal(t, "1", db.text("SELECT count(*) || '' FROM feedrank.job_runs"))
	finish <- struct{}{}
	receive(t, begun)
	require.Equal(t, "request", db.text("SELECT cause FROM feedrank.job_runs ORDER BY id DESC LIMIT 1"))
}

func TestAStopWaitsForTheRunsBeforeTheLeadIsGivenBack(t *testing.T) {
	db := newDatabase(t)
	begun, finish := make(chan int64, 10), make(chan struct{})
	stubborn := jobs.Job{
		Name: "stubborn", Every: time.Second, Timeout: time.Minute,
		Run: func(ctx context.Context, fence int64) error {
			begun <- fence
			<-ctx.Done()
			<-finish
			return ctx.Err()
		},
	}
	_, stop := db.start(db.cfg, stubborn)
	require.Equal(t, int64(1), receive(t, begun))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	next := make(chan int64, 10)
	db.start(db.cfg, jobs.Job{
		Name: "next", Every: time.Hour, Timeout: time.Minute,
		Run: func(_ context.Context, fence int64) error {
			next <- fence
			return nil
		},
	})
	require.Never(t, func() bool { return len(next) > 0 }, fast().LeadTimeout+500*time.Millisecond, 50*time.Millisecond)
	close(finish)
	<-stopped
	require.Equal(t, int64(2), receive(t, next))
	require.Equal(t, "stopped", db.text("SELECT outcome FROM feedrank.job_runs WHERE job = 'stubborn'"))
}

func TestALeaderThatIsCutOffEndsItsRunsBeforeAnotherLeads(t *testing.T) {
	db := newDatabase(t)
	wire := newWire(t, db.cfg.DSN)
	first, second := make(chan int64, 10), make(chan int64, 10)
	ended := make(chan error, 10)
	db.start(wire.cfg, jobs.Job{
		Name: "one", Every: time.Hour, Timeout: time.Minute,
		Run: func(ctx context.Context, fence int64) error {
			first <- fence
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return ctx.Err()
		},
	})
	require.Equal(t, int64(1), receive(t, first))
	db.start(db.cfg, jobs.Job{
		Name: "two", Every: time.Hour, Timeout: time.Minute,
		Run: func(_ context.Context, fence int64) error {
			second <- fence
			return nil
		},
	})
	wire.cut() // nothing arrives any more, and nobody is told
	began := time.Now()
	require.Equal(t, int64(2), receive(t, second))
	require.Less(t, time.Since(began), takeover)
	require.Len(t, ended, 1, "it ended its run first")
	require.ErrorIs(t, <-ended, jobs.ErrLeadLost)
}

// wire is a connection to PostgreSQL that can be cut so that both ends go on believing in it.
type wire struct {
	cfg  postgres.Config
	mu   sync.Mutex
	dead bool
}

func newWire(t *testing.T, dsn string) *wire {
	t.Helper()
	there, err := url.Parse(dsn)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &wire{cfg: postgres.DefaultConfig()}
	var all sync.WaitGroup
	var conns []net.Conn
	all.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", there.Host)
			if err != nil {
				_ = near.Close()
				continue
			}
			w.mu.Lock()
			conns = append(conns, near, far)
			w.mu.Unlock()
			all.Go(func() { w.pass(near, far) })
			all.Go(func() { w.pass(far, near) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		w.mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		w.mu.Unlock()
		all.Wait()
	})
	here := *there
	here.Host = listener.Addr().String()
	w.cfg.DSN = here.String()
	return w
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
}

func (w *wire) pass(from io.Reader, to io.Writer) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		w.mu.Lock()
		dead := w.dead
		w.mu.Unlock()
		if dead {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func TestAJobWithoutScheduleOrNameIsRefused(t *testing.T) {
	good := jobs.Job{
		Name: "good", Every: time.Second, Timeout: time.Second,
		Run: func(context.Context, int64) error { return nil },
	}
	for _, spoil := range []func(*jobs.Job){
		func(j *jobs.Job) { j.Name = "No Good" }, func(j *jobs.Job) { j.Every = 0 },
		func(j *jobs.Job) { j.Timeout = 0 },
		func(j *jobs.Job) { j.Run = nil }, func(j *jobs.Job) { j.Jitter = 51 },
	} {
		bad := good
		spoil(&bad)
		_, err := jobs.NewRunner(jobs.Params{
			Jobs: []jobs.Job{bad}, Log: zap.NewNop(),
			Registerer: prometheus.NewRegistry(),
		})
		require.Error(t, err)
	}
	_, err := jobs.NewRunner(jobs.Params{
		Jobs: []jobs.Job{good, good}, Log: zap.NewNop(),
		Registerer: prometheus.NewRegistry(),
	})
	require.ErrorContains(t, err, "two jobs")
	require.Contains(t, jobs.Config{Beat: time.Second, LeadTimeout: time.Second}.Check(), "lead_timeout")
	require.Empty(t, jobs.DefaultConfig().Check())
}
