package httpserver

import (
	"strconv"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

func newSeconds(reg prometheus.Registerer) *prometheus.HistogramVec {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "feedrank_http_request_seconds", Help: "Time of a request, by route, method and status class.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
	}, []string{"route", "method", "status"})
	reg.MustRegister(seconds)
	return seconds
}

// observe counts and times every request, and writes the access log.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		a := answerOf(c)
		a.watch = core.StartStopwatch()
		err := next(c)
		if err != nil {
			c.Error(err) // writes the problem, so that its status is known here
		}
		route, method := c.Path(), c.Request().Method
		if route == "" {
			route, method = "none", "any" // what clients make up is no label
		}
		took := a.began
		if took == 0 {
			took = a.watch.Elapsed()
		}
		class := strconv.Itoa(c.Response().Status/100) + "xx"
		tracing.Observe(c.Request().Context(), s.seconds.WithLabelValues(route, method, class), took.Seconds())
		if s.cfg.AccessLog {
			tracing.Log(c.Request().Context(), s.log).Info("request",
				zap.String("method", c.Request().Method), zap.String("route", route),
				zap.Int("status", c.Response().Status), zap.Duration("took", took),
				zap.Stringer("from", answerOf(c).client))
		}
		return nil
	}
}

func (s *Server) recoverPanics() echo.MiddlewareFunc {
	return middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisableErrorHandler: true,
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			tracing.Log(c.Request().Context(), s.log).Error("handler panicked", zap.Error(err),
				zap.ByteString("stack", stack))
			return err
		},
	})
}
