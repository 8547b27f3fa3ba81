package tls

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/test/wait"
)

// secure has a running server speak TLS alone, and with mutual only to those who show a certificate.
func secure(t *testing.T, dsn string, trusted *authority, mutual bool) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.Background())) }()
	var data, hba string
	require.NoError(t, conn.QueryRow(t.Context(),
		"SELECT current_setting('data_directory'), current_setting('hba_file')").Scan(&data, &hba))
	folder, err := os.Stat(data)
	require.NoError(t, err)
	cert := trusted.issue("server")
	for name, from := range map[string]string{
		"server.crt": cert.CertFile, "server.key": cert.KeyFile,
		"ca.crt": trusted.File,
	} {
		text, err := os.ReadFile(from)
		require.NoError(t, err)
		file := filepath.Join(data, name)
		require.NoError(t, os.WriteFile(file, text, 0o600))
		own(t, file, folder) // the server reads none of anybody else's
	}
	for _, statement := range []string{
		"ALTER SYSTEM SET ssl = on", "ALTER SYSTEM SET ssl_cert_file = 'server.crt'",
		"ALTER SYSTEM SET ssl_key_file = 'server.key'",
		"ALTER SYSTEM SET ssl_ca_file = 'ca.crt'",
	} {
		_, err := conn.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	option := ""
	if mutual {
		option = " clientcert=verify-ca"
	}
	require.NoError(t, os.WriteFile(hba, []byte("hostssl all all all trust"+option+"\n"), 0o600))
	_, err = conn.Exec(t.Context(), "SELECT pg_reload_conf()")
	require.NoError(t, err)
}

// dsnWith is a DSN that says what the trial's client does.
func (x trial) dsnWith(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	q := u.Query()
	q.Set("sslmode", "verify-full")
	for key, value := range map[string]string{
		"sslrootcert": x.client.CAFile, "sslcert": x.client.CertFile,
		"sslkey": x.client.KeyFile,
	} {
		if value != "" {
			q.Set(key, value)
		}
	}
	switch {
	case !x.client.Enabled:
		q.Set("sslmode", "disable")
	case x.client.InsecureSkipVerify:
		q.Set("sslmode", "require")
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func TestPostgreSQLOverTLS(t *testing.T) {
	trusted := newAuthority(t, "ours")
	all := trials(t, trusted)
	for _, mutual := range []bool{false, true} {
		dsn := embeddedtest.Own(t, embedded.Postgres).Addresses().Postgres.DSN
		secure(t, dsn, trusted, mutual)
		for _, x := range all {
			if x.mutual != mutual || x.client.ServerName != "" { // a DSN has no other name than its host
				continue
			}
			t.Run(x.name, func(t *testing.T) {
				cfg := postgres.DefaultConfig()
				cfg.DSN, cfg.DialTimeout = x.dsnWith(t, dsn), 10*time.Second
				pool, err := postgres.NewPool(t.Context(), cfg)
				require.NoError(t, err)
				defer pool.Close()
				if !x.enters {
					require.Error(t, pool.Ping(t.Context()))
					require.Error(t, lock(t, cfg))
					return
				}
				wait.Until(t, func() bool { return pool.Ping(t.Context()) == nil }, "after the reload")
				var encrypted bool
				require.NoError(t, pool.QueryRow(t.Context(),
					"SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&encrypted))
				require.True(t, encrypted)
				require.NoError(t, lock(t, cfg))
			})
		}
	}
}

// lock goes the other way by which we connect.
func lock(t *testing.T, cfg postgres.Config) error {
	t.Helper()
	return postgres.WithAdvisoryLock(t.Context(), cfg, "tls", func(ctx context.Context, conn *pgx.Conn) error {
		var encrypted bool
		if err := conn.QueryRow(ctx,
			"SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&encrypted); err != nil {
			return err
		}
		if !encrypted {
			return fmt.Errorf("in the clear") // of this test alone
		}
		return nil
	})
}
