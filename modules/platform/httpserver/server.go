package httpserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Drainer is told before the server stops, so that readiness turns first.
type Drainer interface{ Drain() }

// Server serves the routes of every feature.
type Server struct {
	cfg      Config
	http     *http.Server
	workers  *worker.Group
	drainer  Drainer
	log      *zap.Logger
	listener net.Listener
}

// New builds the router. It does not listen yet.
func New(cfg Config, routes []Route, auth Authenticator, drainer Drainer, failure worker.Failure, reg prometheus.Registerer, log *zap.Logger) *Server {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = problemHandler(log)
	e.Use(
		middleware.RequestIDWithConfig(middleware.RequestIDConfig{Generator: uuid.NewString}),
		observe(reg, cfg.AccessLog, log),
		middleware.RecoverWithConfig(middleware.RecoverConfig{DisableErrorHandler: true, LogErrorFunc: func(_ echo.Context, err error, stack []byte) error {
			log.Error("handler panicked", zap.Error(err), zap.ByteString("stack", stack))
			return err
		}}),
		securityHeaders,
		limitConcurrency(cfg.MaxConcurrent),
		limitBody(cfg.MaxBodyBytes),
		limitTime(cfg.RequestTimeout),
	)
	for _, route := range routes {
		e.Add(route.Method, route.Path, route.Handler, authorize(route.Access, auth))
	}
	return &Server{
		cfg: cfg, drainer: drainer, log: log, workers: worker.NewGroup(failure),
		http: &http.Server{
			Handler: e, ReadHeaderTimeout: cfg.ReadHeaderTimeout, ReadTimeout: cfg.ReadTimeout,
			WriteTimeout: cfg.ReadTimeout + cfg.RequestTimeout, IdleTimeout: cfg.IdleTimeout,
			MaxHeaderBytes: cfg.MaxHeaderBytes, ErrorLog: zap.NewStdLog(log),
		},
	}
}

// Start listens: a port in use fails the start.
func (s *Server) Start(ctx context.Context) error {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", s.cfg.Addr)
	if err != nil {
		return fmt.Errorf("http.addr %s: %w", s.cfg.Addr, err)
	}
	s.listener = listener
	s.workers.Go("http server", func(context.Context) error {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("http serve: %w", err)
		}
		return nil
	})
	s.log.Info("listening", zap.String("addr", s.Addr()))
	return nil
}

// Addr is the address it listens on, once started.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Stop turns readiness off, waits for load balancers to notice, then for the requests under way.
func (s *Server) Stop(ctx context.Context) error {
	s.drainer.Drain()
	wait(ctx, s.cfg.DrainDelay)
	draining, cancel := half(ctx) // a slow client must not use up the time that the others need to stop
	defer cancel()
	err := s.http.Shutdown(draining)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests still under way: %w", err), s.http.Close())
	}
	return errors.Join(err, s.workers.Stop(ctx))
}

// half is a context for half of the time that is left.
func half(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/2)
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// observe counts and times every request, and writes the access log.
func observe(reg prometheus.Registerer, accessLog bool, log *zap.Logger) echo.MiddlewareFunc {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "feedrank_http_request_seconds", Help: "Time of a request, by route, method and status class.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
	}, []string{"route", "method", "status"})
	reg.MustRegister(seconds)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start := time.Now()
			err := next(c)
			if err != nil {
				c.Error(err) // writes the problem, so that its status is known here
			}
			route, method := c.Path(), c.Request().Method
			if route == "" {
				route, method = "none", "any" // what clients make up is no label
			}
			took := time.Since(start)
			seconds.WithLabelValues(route, method, strconv.Itoa(c.Response().Status/100)+"xx").Observe(took.Seconds())
			if accessLog {
				log.Info("request", zap.String("method", c.Request().Method), zap.String("path", c.Request().URL.Path),
					zap.Int("status", c.Response().Status), zap.Duration("took", took),
					zap.String("request_id", c.Response().Header().Get(echo.HeaderXRequestID)))
			}
			return nil
		}
	}
}

func securityHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set(echo.HeaderXContentTypeOptions, "nosniff")
		h.Set(echo.HeaderCacheControl, "no-store")
		return next(c)
	}
}

// limitConcurrency sheds what is too much before it costs anything.
func limitConcurrency(most int) echo.MiddlewareFunc {
	slots := make(chan struct{}, most)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				return next(c)
			default:
				return &core.Error{Code: core.CodeOverloaded, Message: "too many requests at once; try again", RetryAfter: time.Second}
			}
		}
	}
}

func limitBody(most int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.ContentLength > most {
				return core.Errorf(core.CodeTooLarge, "the body is larger than %d bytes", most)
			}
			r.Body = http.MaxBytesReader(c.Response(), r.Body, most)
			return next(c)
		}
	}
}

func limitTime(most time.Duration) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx, cancel := context.WithTimeout(c.Request().Context(), most)
			defer cancel()
			c.SetRequest(c.Request().WithContext(ctx))
			err := next(c)
			if err != nil && ctx.Err() != nil && core.CodeOf(err) == core.CodeInternal {
				return &core.Error{Code: core.CodeTimeout, Message: "the request took longer than it may; try again", RetryAfter: time.Second, Cause: err}
			}
			return err
		}
	}
}
