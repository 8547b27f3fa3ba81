//go:build real

package real_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/tables"
	"github.com/feedrank/feedrank/test/wait"
)

func contains(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// twoReplicas are a whole program, and a second replica of its api, on a Redis of their own.
func twoReplicas(t *testing.T, server servers.Server) (a, b *asker) {
	t.Helper()
	_, c := fresh(t)
	require.NoError(t, execute(t.Context(), c, feedWorld))
	cfg := settings(c)
	cfg.Redis.Addrs = []string{server.Addr()}
	a = run(t, migrated(t, cfg))
	cfg.Roles = []string{string(app.API)}
	b = run(t, cfg)
	pg, err := pgx.Connect(t.Context(), c.PostgresConfig.DSN)
	require.NoError(t, err)
	db := clickhouse.New(c.ClickHouseConfig, prometheus.NewRegistry())
	tables.Arrived(t, pg, db, func() string {
		_, body := a.call(http.MethodGet, "/metrics", 1, "")
		return string(body)
	})
	db.Close()
	require.NoError(t, pg.Close(t.Context()))
	a.well("the start")
	b.well("the start")
	return a, b
}

// shown tells whether a page of 100 has a post.
func (a *asker) shown(what string, viewer, post core.ID) bool {
	a.t.Helper()
	for _, item := range a.feed(what, viewer, "limit=100").Items {
		if item.Post == post {
			return true
		}
	}
	return false
}

func (a *asker) hide(viewer core.ID, item feedItem) {
	a.t.Helper()
	body, err := json.Marshal(map[string]any{"events": []any{map[string]any{
		"event_id": uuid.NewString(), "action": "hide", "post_id": item.Post, "author_id": item.Author,
		"occurred_at": time.Now().UTC(),
	}}})
	require.NoError(a.t, err)
	wait.Until(a.t, func() bool {
		status, _ := a.call(http.MethodPost, "/api/v1/events", viewer, string(body))
		return status == http.StatusAccepted
	})
}

// What a viewer hides while Redis keeps nothing is never shown again by the replica that took it, soon by no other,
// and by nobody when Redis is well again: its entries are older than the hide.
func TestWhatIsHiddenStaysHiddenWhateverBecomesOfRedis(t *testing.T) {
	other, server := ownRedis(t, "--appendonly", "no"), ownRedis(t, "--appendonly", "no")
	a, b := twoReplicas(t, server)
	host, port, err := net.SplitHostPort(other.Addr())
	require.NoError(t, err)
	viewer := core.ID(101)
	for _, fault := range []struct {
		name       string
		begin, end func()
	}{
		{
			"full",
			func() {
				command(t, server, "CONFIG", "SET", "maxmemory-policy", "noeviction")
				command(t, server, "CONFIG", "SET", "maxmemory", "100000")
			},
			func() { command(t, server, "CONFIG", "SET", "maxmemory", "0") },
		},
		{
			"demoted", func() { command(t, server, "REPLICAOF", host, port) },
			func() { command(t, server, "REPLICAOF", "NO", "ONE") },
		},
		{
			"killed", func() { require.NoError(t, server.Kill()) },
			func() { require.NoError(t, server.Start(context.WithoutCancel(t.Context()))) },
		},
	} {
		var viewers []core.ID
		hidden := map[core.ID]feedItem{}
		for range 6 { // some have no entry in the other replica's memory
			viewer++
			viewers = append(viewers, viewer)
			hidden[viewer] = a.feed(fault.name, viewer, "").Items[0]
			wait.Until(t, func() bool { return a.feed(fault.name, viewer, "").ServedFrom == "cache" })
			if viewer%2 == 0 {
				require.Equal(t, hidden[viewer].Post, b.feed(fault.name, viewer, "").Items[0].Post)
			}
		}
		fault.begin()
		for _, v := range viewers {
			a.hide(v, hidden[v])
			require.False(t, a.shown(fault.name, v, hidden[v].Post), "%s: the replica that took it shows it again",
				fault.name)
		}
		for _, v := range viewers {
			wait.Until(t, func() bool { return !b.shown(fault.name, v, hidden[v].Post) },
				"%s: another replica hears of it", fault.name)
		}
		for _, replica := range []*asker{a, b} {
			wait.Until(t, func() bool {
				_, body := replica.call(http.MethodGet, "/readyz", 1, "")
				return strings.Contains(string(body), `"status":"degraded"`)
			}, "%s: /readyz", fault.name)
		}
		for _, v := range viewers {
			require.False(t, a.shown(fault.name, v, hidden[v].Post))
			require.False(t, b.shown(fault.name, v, hidden[v].Post))
		}
		fault.end()
		for _, v := range viewers {
			require.False(t, a.shown(fault.name, v, hidden[v].Post), "%s: back", fault.name)
			require.False(t, b.shown(fault.name, v, hidden[v].Post), "%s: back", fault.name)
		}
		a.well(fault.name)
		b.well(fault.name)
		for _, v := range viewers {
			require.False(t, a.shown(fault.name, v, hidden[v].Post), "%s: well", fault.name)
			require.False(t, b.shown(fault.name, v, hidden[v].Post), "%s: well", fault.name)
		}
		wait.Until(t, func() bool {
			return !slices.ContainsFunc(viewers, func(v core.ID) bool {
				return command(t, server, "STRLEN", "hidden:v1:{"+v.String()+"}") == "0"
			})
		}, "%s: every hide is in Redis", fault.name)
	}
}
