package e2e

import (
	"bytes"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/stack"
)

func TestAPostIsExplainedInATerminal(t *testing.T) {
	s := stack.New(t)
	require.NoError(t, s.ClickHouse.Write(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
		Body: "INSERT INTO posts (id, author_id, created_at, version) VALUES (5, 2, now64(6) - INTERVAL 2 HOUR, 1)",
	}}))
	p := start(t, settings(t, s, "api"))
	token, err := auth.Sign(p.cfg.Auth, 0, true, time.Hour, time.Now())
	require.NoError(t, err)
	explain := func(post int64, token string) (string, error) {
		var out bytes.Buffer
		err := app.Explain(t.Context(), p.url, token, 1, core.ID(post), &out)
		return out.String(), err
	}
	var text string
	require.Eventually(t, func() bool {
		text, err = explain(5, token)
		return err == nil
	}, 20*time.Second, 50*time.Millisecond, "the hot set is loaded")
	for _, want := range []string{"post 5 in the feed of user 1: SHOWN", "place 1 of the first page", "popular", "freshness", "2.0 h old", "score"} {
		require.Contains(t, text, want)
	}
	text, err = explain(6, token)
	require.NoError(t, err)
	require.Contains(t, text, "DROPPED")
	require.Contains(t, text, "not_visible")
	_, err = explain(5, "no token")
	require.ErrorContains(t, err, "401")
}
