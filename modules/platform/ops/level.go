package ops

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// leveled is a core whose level can be changed while it is used.
type leveled struct {
	zapcore.Core
	level zap.AtomicLevel
}

// With implements zapcore.Core.
func (l leveled) With(fields []zapcore.Field) zapcore.Core {
	return leveled{l.Core.With(fields), l.level}
}

// Level is what this process logs. An operator changes it for a time; then it is what was configured again.
type Level struct {
	log        *zap.Logger
	clock      core.Clock
	level      zap.AtomicLevel
	configured zapcore.Level

	mu    sync.Mutex
	until time.Time   // zero: it is not changed
	back  *time.Timer // sets it back
}

// NewLevel is the level of a logger of NewLogger; of another one it changes nothing.
func NewLevel(log *zap.Logger, clock core.Clock) *Level {
	l := &Level{log: log, clock: clock, level: zap.NewAtomicLevelAt(log.Level())}
	if c, ours := log.Core().(leveled); ours {
		l.level = c.level
	}
	if l.level.Level() > zapcore.ErrorLevel { // nothing at all, in a test
		l.level.SetLevel(zapcore.ErrorLevel)
	}
	l.configured = l.level.Level()
	return l
}

// How long a level may stay changed.
const (
	levelFor     = 15 * time.Minute
	leastLevel   = time.Second
	longestLevel = 24 * time.Hour
)

// levelJSON is how the level is.
type levelJSON struct {
	Level      string     `json:"level"`
	Configured string     `json:"configured"`
	Until      *time.Time `json:"until"` // when it is what was configured again; null: it is
}

// Routes are the calls that read and change it.
func (l *Level) Routes() []httpserver.Route {
	const path = "/admin/v1/log-level"
	return []httpserver.Route{
		{Method: http.MethodGet, Path: path, Access: httpserver.Admin, Handler: l.read},
		{Method: http.MethodPut, Path: path, Access: httpserver.Admin, What: "log.level", Handler: l.change},
	}
}

func (l *Level) read(c echo.Context) error {
	if err := httpserver.NewQuery(c).Err(); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, l.state())
}

func (l *Level) state() levelJSON {
	l.mu.Lock()
	defer l.mu.Unlock()
	state := levelJSON{Level: l.level.String(), Configured: l.configured.String()}
	if !l.until.IsZero() {
		until := l.until.UTC()
		state.Until = &until
	}
	return state
}

func (l *Level) change(c echo.Context) error {
	if err := httpserver.NewQuery(c).Err(); err != nil {
		return err
	}
	var body struct{ Level, For string }
	if err := json.NewDecoder(c.Request().Body).Decode(&body); err != nil {
		return &core.Error{
			Code: core.CodeMalformedJSON, Message: `want {"level": "debug", "for": "15m"}`, Cause: err,
		}
	}
	level, err := zapcore.ParseLevel(body.Level)
	if err != nil || level > zapcore.ErrorLevel || body.Level == "" {
		return core.InvalidField("level", "want debug, info, warn or error")
	}
	lasting := levelFor
	if body.For != "" {
		lasting, err = time.ParseDuration(body.For)
		if err != nil || lasting < leastLevel || lasting > longestLevel {
			return core.InvalidField("for", "want a time from 1s to 24h, such as 15m")
		}
	}
	before := l.state()
	l.set(level, lasting)
	after := l.state()
	tracing.Log(c.Request().Context(), l.log).Warn("log level changed by an operator",
		zap.String("level", after.Level), zap.Duration("for", lasting))
	httpserver.Changed(c, before, after)
	return c.JSON(http.StatusOK, after)
}

func (l *Level) set(level zapcore.Level, lasting time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
	l.level.SetLevel(level)
	if level == l.configured {
		return
	}
	l.until = l.clock.Now().Add(lasting)
	var back *time.Timer
	back = time.AfterFunc(lasting, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.back == back { // else it was changed again
			l.forget()
			l.level.SetLevel(l.configured)
		}
	})
	l.back = back
}

func (l *Level) forget() {
	if l.back != nil {
		l.back.Stop()
	}
	l.back, l.until = nil, time.Time{}
}

// Stop sets the level back.
func (l *Level) Stop(context.Context) error {
	l.set(l.configured, 0)
	return nil
}
