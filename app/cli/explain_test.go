package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/test/wait"
)

func TestAPostIsExplainedInATerminal(t *testing.T) {
	c := newConsole(t)
	c.cfg.Roles, c.cfg.Auth.HS256Secret = []string{"api"}, strings.Repeat("s", 32)
	c.exec(t, "INSERT INTO posts (id, author_id, created_at, version) VALUES (5, 2, now64(6) - INTERVAL 2 HOUR, 1)")
	program, err := app.Start(t.Context(), c.cfg, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, program.Stop()) })
	explain := func(args ...string) (string, error) {
		return c.run(t, explainCommand, append(args, "--url", "http://"+program.Addr(), "--user", "1")...)
	}
	var text string
	wait.Until(t, func() bool {
		text, err = explain("--post", "5")
		return err == nil
	}, "the hot set is loaded")
	for _, want := range []string{
		"post 5 in the feed of user 1: SHOWN", "place 1 of the first page", "popular",
		"freshness", "2.0 h old", "score",
	} {
		require.Contains(t, text, want)
	}
	text, err = explain("--post", "6")
	require.NoError(t, err)
	require.Contains(t, text, "DROPPED")
	require.Contains(t, text, "not_visible")
	_, err = explain("--post", "5", "--token", "no token")
	require.ErrorContains(t, err, "401")
	_, err = explain("--post", "five")
	require.ErrorIs(t, err, ErrUsage)
}
