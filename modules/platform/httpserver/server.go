package httpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/admission"
	"github.com/feedrank/feedrank/modules/platform/httpserver/clientip"
	"github.com/feedrank/feedrank/modules/platform/httpserver/connections"
	"github.com/feedrank/feedrank/modules/platform/httpserver/problem"
	"github.com/feedrank/feedrank/modules/platform/httpserver/waitlist"
	"github.com/feedrank/feedrank/modules/platform/tracing"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Drainer is told before the server stops, so that readiness turns first.
type Drainer interface{ Drain() }

// Server serves the routes of every feature, at one address or at two.
type Server struct {
	cfg       Config
	auth      Authenticator
	limits    Limits
	gate      *admission.Gate
	record    Recorder
	tracer    *tracing.Tracer // nil: nothing is traced
	clock     core.Clock      // of records
	workers   *worker.Group
	drainer   Drainer
	log       *zap.Logger
	seconds   *prometheus.HistogramVec
	clients   *clientip.Resolver
	access    map[call]Access
	tls       *tls.Config // nil: in the clear
	addresses []*listening
	routes    []Route
	ending    atomic.Bool // it drains

	strangers, operators, pages places
	bodies, unread              *waitlist.List
}

// listening is one address with what is served there.
type listening struct {
	key      string // of the configuration
	addr     string
	http     *http.Server
	limiter  *connections.Limiter
	listener net.Listener
}

// Option changes a Server.
type Option func(*Server)

// WithLimits has requests counted.
func WithLimits(limits Limits) Option { return func(s *Server) { s.limits = limits } }

// WithGate has requests of users refused while there is too much to do.
func WithGate(gate *admission.Gate) Option { return func(s *Server) { s.gate = gate } }

// WithRecorder has what operators change recorded.
func WithRecorder(recorder Recorder, clock core.Clock) Option {
	return func(s *Server) { s.record, s.clock = recorder, clock }
}

// WithTracer has requests traced.
func WithTracer(t *tracing.Tracer) Option { return func(s *Server) { s.tracer = t } }

// New builds the routers. It does not listen yet.
func New(cfg Config, routes []Route, auth Authenticator, drainer Drainer, failure worker.Failure,
	reg prometheus.Registerer, log *zap.Logger, options ...Option,
) *Server {
	s := &Server{
		cfg: cfg, auth: auth, drainer: drainer, log: log, workers: worker.NewGroup(failure), seconds: newSeconds(reg),
		clock:     core.SystemClock{},
		routes:    routes,
		clients:   clientip.NewResolver(clientip.Networks(cfg.TrustedProxies), reg, log),
		access:    make(map[call]Access, len(routes)),
		strangers: make(places, cfg.MaxConcurrent), operators: make(places, operatorPlaces),
		pages:  make(places, consolePlaces),
		bodies: newBodies(cfg.MaxBodyMemory, reg), unread: newUnread(cfg.MaxConcurrent, reg),
	}
	for _, option := range options {
		option(s)
	}
	users, operators := s.router(), s.router(atOperators)
	for _, r := range routes {
		s.access[call{r.Method, r.Path}] = r.Access
		if r.headed() {
			s.access[call{http.MethodHead, r.Path}] = r.Access
		}
		if r.Access == Public || r.Access == Anybody || r.Access == User || (cfg.AdminAddr == "" && r.Access != Debug) {
			s.add(users, r)
		}
		if r.Access != User {
			s.add(operators, r)
		}
	}
	ofUsers, ofOperators := connections.NewLimiters(connections.Config{
		Most: cfg.MaxConnections, MostOfOne: cfg.MaxPerAddress,
		Shared: clientip.Networks(cfg.TrustedProxies), Unlimited: clientip.Networks(cfg.Unlimited),
	}, s.clock, reg)
	s.addresses = []*listening{s.listening("http.addr", cfg.Addr, users, cfg.ReadTimeout+cfg.RequestTimeout, ofUsers)}
	if cfg.AdminAddr != "" {
		s.addresses = append(s.addresses,
			s.listening("http.admin_addr", cfg.AdminAddr, operators, longestProfile, ofOperators))
	}
	return s
}

// add puts a call into a router; what can be asked with GET can with HEAD.
func (s *Server) add(router *echo.Echo, r Route) {
	router.Add(r.Method, r.Path, r.Handler, s.everyRoute(r)...)
	if r.headed() {
		r.Method = http.MethodHead
		router.Add(r.Method, r.Path, r.Handler, s.everyRoute(r)...)
	}
}

// longestProfile bounds an answer to an operator.
const longestProfile = 5 * time.Minute

func (s *Server) router(more ...echo.MiddlewareFunc) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = problem.Handler(s.log)
	e.IPExtractor = func(r *http.Request) string { return s.clients.Of(r).String() }
	e.Use(append(s.everyRequest(), more...)...)
	return e
}

// Bounds of one HTTP/2 connection: it may open so many streams at once, and send so much that nobody reads yet.
const (
	maxStreams     = 100
	maxUnreadOfAll = 256 << 10
	maxUnreadOfOne = 64 << 10
)

func (s *Server) listening(key, addr string, handler http.Handler, writeTimeout time.Duration,
	limiter *connections.Limiter,
) *listening {
	return &listening{key: key, addr: addr, limiter: limiter, http: &http.Server{
		Handler: handler, ReadHeaderTimeout: s.cfg.ReadHeaderTimeout, ReadTimeout: s.cfg.ReadTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: -1, ConnState: limiter.Follow, // which ends silent ones
		MaxHeaderBytes: s.cfg.MaxHeaderBytes + headersBeyond, ErrorLog: zap.NewStdLog(s.log),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams, MaxReceiveBufferPerConnection: maxUnreadOfAll,
			MaxReceiveBufferPerStream: maxUnreadOfOne,
			WriteByteTimeout:          s.cfg.ReadTimeout, // of a connection that takes nothing at all
		},
	}}
}

// Start listens: a port in use fails the start, and so does a certificate that does not load.
func (s *Server) Start(ctx context.Context) error {
	var err error
	if s.tls, err = s.cfg.TLS.Config(s.log); err != nil {
		return fmt.Errorf("http.%w", err)
	}
	for i, d := range s.addresses {
		if err := s.listen(ctx, d); err != nil {
			for _, open := range s.addresses[:i] {
				err = errors.Join(err, open.http.Close())
			}
			return errors.Join(err, s.workers.Stop(ctx))
		}
	}
	return nil
}

func (s *Server) listen(ctx context.Context, d *listening) error {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", d.addr)
	if err != nil {
		return fmt.Errorf("%s %s: %w", d.key, d.addr, err)
	}
	d.listener = d.limiter.Listen(listener)
	d.http.TLSConfig = s.tls
	s.workers.Go(d.key, func(context.Context) error {
		serve := d.http.Serve
		if s.tls != nil {
			serve = func(l net.Listener) error { return d.http.ServeTLS(l, "", "") }
		}
		if err := serve(d.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("%s: serve: %w", d.key, err)
		}
		return nil
	})
	s.workers.Go(d.key+" silent connections", func(ctx context.Context) error {
		return d.limiter.EndSilent(ctx, s.cfg.IdleTimeout)
	})
	s.log.Info("listening", zap.String("as", d.key), zap.String("addr", listener.Addr().String()),
		zap.Bool("tls", s.tls != nil))
	return nil
}

// Addr is the address of users, once started.
func (s *Server) Addr() string { return s.addresses[0].listener.Addr().String() }

// Routes are all calls, at whichever address.
func (s *Server) Routes() []Route { return s.routes }

// AdminAddr is the address of operators, once started; that of users if there is no other.
func (s *Server) AdminAddr() string { return s.addresses[len(s.addresses)-1].listener.Addr().String() }

// Stop turns readiness off, waits for load balancers to notice, then for the requests under way. The
// operators' address closes last: they may want to look at a replica that drains.
func (s *Server) Stop(ctx context.Context) error {
	s.ending.Store(true)
	s.drainer.Drain()
	_ = worker.Pause(ctx, s.cfg.DrainDelay)
	draining, cancel := half(ctx) // a slow client must not use up the time that the others need to stop
	defer cancel()
	for _, r := range s.routes {
		if r.End != nil {
			r.End(draining)
		}
	}
	var failed error
	for _, d := range s.addresses {
		if err := d.http.Shutdown(draining); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: requests still under way: %w", d.key, err), d.http.Close())
		}
	}
	return errors.Join(failed, s.workers.Stop(ctx))
}

// half is a context for half of the time that is left.
func half(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, core.Left(deadline)/2)
}
