package ops_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/ops"
	"github.com/feedrank/feedrank/test/wait"
)

type levelState struct {
	Level, Configured string
	Until             *string
}

// levelCalls are the calls of a logger's level.
func levelCalls(t *testing.T, log *zap.Logger) func(method, body string) (levelState, error) {
	t.Helper()
	level := ops.NewLevel(log, core.SystemClock{})
	t.Cleanup(func() { require.NoError(t, level.Stop(t.Context())) })
	handlers := map[string]echo.HandlerFunc{}
	for _, route := range level.Routes() {
		handlers[route.Method] = route.Handler
	}
	return func(method, body string) (state levelState, err error) {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), method, "/admin/v1/log-level", strings.NewReader(body))
		if err := handlers[method](echo.New().NewContext(r, w)); err != nil {
			return state, err
		}
		return state, json.Unmarshal(w.Body.Bytes(), &state)
	}
}

func TestAnOperatorChangesWhatIsLoggedForATime(t *testing.T) {
	log, err := ops.NewLogger(ops.LogConfig{Level: "error", Format: "json"})
	require.NoError(t, err)
	part := log.With(zap.String("part", "of it")).Named("one") // what others have made of it changes, too
	call := levelCalls(t, log)
	state, err := call(http.MethodGet, "")
	require.NoError(t, err)
	require.Equal(t, levelState{Level: "error", Configured: "error"}, state)
	require.False(t, part.Core().Enabled(zapcore.DebugLevel))

	state, err = call(http.MethodPut, `{"level": "debug", "for": "1s"}`)
	require.NoError(t, err)
	require.Equal(t, "debug", state.Level)
	require.NotNil(t, state.Until)
	require.True(t, part.Core().Enabled(zapcore.DebugLevel))
	wait.Until(t, func() bool { return !part.Core().Enabled(zapcore.DebugLevel) })
	state, err = call(http.MethodGet, "")
	require.NoError(t, err)
	require.Equal(t, levelState{Level: "error", Configured: "error"}, state)

	_, err = call(http.MethodPut, `{"level": "info"}`)
	require.NoError(t, err)
	state, err = call(http.MethodPut, `{"level": "error"}`)
	require.NoError(t, err)
	require.Nil(t, state.Until, "it is what was configured")
}

func TestALevelThatIsNoneIsRefused(t *testing.T) {
	log, err := ops.NewLogger(ops.LogConfig{Level: "error", Format: "json"})
	require.NoError(t, err)
	call := levelCalls(t, log)
	for body, code := range map[string]core.Code{
		"":                                   core.CodeMalformedJSON,
		`{"level": 5}`:                       core.CodeMalformedJSON,
		`{}`:                                 core.CodeInvalidRequest,
		`{"level": "loud"}`:                  core.CodeInvalidRequest,
		`{"level": "panic"}`:                 core.CodeInvalidRequest,
		`{"level": "debug", "for": "0s"}`:    core.CodeInvalidRequest,
		`{"level": "debug", "for": "25h"}`:   core.CodeInvalidRequest,
		`{"level": "debug", "for": "a day"}`: core.CodeInvalidRequest,
	} {
		_, err := call(http.MethodPut, body)
		require.Equal(t, code, core.CodeOf(err), body)
	}
	state, err := call(http.MethodGet, "")
	require.NoError(t, err)
	require.Equal(t, "error", state.Level)
}
