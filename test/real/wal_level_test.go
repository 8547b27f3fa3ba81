//go:build real

package real_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/sql"
	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/wait"
)

// TestAServerWhoseLogTellsNoRowsIsNotReadyAsUsual has the source meet a PostgreSQL as it is installed.
func TestAServerWhoseLogTellsNoRowsIsNotReadyAsUsual(t *testing.T) {
	_, c := fresh(t)
	dir, err := os.MkdirTemp("", "feedrank-postgres-") // another user must reach it
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755)) // as above
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	server, err := servers.NewPostgres(t.Context(), dir, "wal_level=replica")
	require.NoError(t, err)
	require.NoError(t, server.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, server.Stop(context.WithoutCancel(t.Context()))) })

	cfg := settings(c)
	cfg.HTTP.AdminAddr = "127.0.0.1:0"
	cfg.Postgres.DSN = servers.DSNBy(server, "postgres")
	cfg.Roles = []string{string(app.CDCSource)}
	pg, err := pgx.Connect(t.Context(), cfg.Postgres.DSN)
	require.NoError(t, err)
	_, err = pg.Exec(t.Context(), sql.ExampleSchema())
	require.NoError(t, err)
	require.NoError(t, pg.Close(t.Context()))
	_, err = app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	program, err := app.Start(t.Context(), cfg, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, program.Stop()) })
	a := &asker{
		t: t, cfg: cfg, url: "http://" + program.AdminAddr(),
		client: &http.Client{Transport: &http.Transport{}}, next: 200,
	}
	defer a.client.CloseIdleConnections()
	wait.Until(t, func() bool {
		_, body := a.call(http.MethodGet, "/readyz", 1, "")
		return strings.Contains(string(body), `"status":"degraded"`) &&
			strings.Contains(string(body), "wal_level is replica: set wal_level = logical")
	}, "/readyz says what is wrong and what to do")
	a.url = "http://" + program.Addr()
	_, body := a.call(http.MethodGet, "/readyz", 1, "")
	require.Contains(t, string(body), `"cdc source":"failing"`)
}
