package tls

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/tlsconfig"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/test/wait"
)

type stranger struct{}

func (stranger) Authenticate(http.Header) (httpserver.Principal, error) {
	return httpserver.Principal{}, core.Errorf(core.CodeUnauthenticated, "nobody")
}

func (stranger) Drain() {}

// serve starts our server with a certificate.
func serve(t *testing.T, cfg tlsconfig.Server, change ...func(*httpserver.Config)) *httpserver.Server {
	t.Helper()
	settings := httpserver.DefaultConfig()
	settings.Addr, settings.AdminAddr, settings.TLS = "127.0.0.1:0", "127.0.0.1:0", cfg
	for _, f := range change {
		f(&settings)
	}
	failure := worker.FailureFunc(func(name string, err error) { t.Errorf("%s: %v", name, err) })
	routes := []httpserver.Route{
		{
			Method: http.MethodGet, Path: "/", Access: httpserver.Public,
			Handler: func(c echo.Context) error { return c.NoContent(http.StatusNoContent) },
		},
		{Method: http.MethodPost, Path: "/", Access: httpserver.Public, Handler: func(c echo.Context) error {
			_, err := io.Copy(io.Discard, c.Request().Body)
			return err
		}},
	}
	s := httpserver.New(settings, routes, stranger{}, stranger{}, failure, prometheus.NewRegistry(), zap.NewNop())
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return s
}

// get asks over a connection of its own, and returns the server's certificate.
func get(t *testing.T, addr string, cfg tlsconfig.Config) (serial string, version string, err error) {
	t.Helper()
	client, err := cfg.Client()
	require.NoError(t, err)
	transport := &http.Transport{TLSClientConfig: client, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	scheme := "https://"
	if client == nil {
		scheme = "http://"
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, scheme+addr+"/", nil)
	require.NoError(t, err)
	response, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		return "", "", err
	}
	_, _ = io.Copy(io.Discard, response.Body)
	require.NoError(t, response.Body.Close())
	if response.TLS == nil {
		return "", "", http.ErrSchemeMismatch
	}
	require.Equal(t, "max-age=31536000", response.Header.Get("Strict-Transport-Security"))
	return response.TLS.PeerCertificates[0].SerialNumber.String(), response.Proto, nil
}

func TestTheServerSpeaksTLSAtBothAddresses(t *testing.T) {
	trusted := newAuthority(t, "ours")
	for _, x := range trials(t, trusted) {
		t.Run(x.name, func(t *testing.T) {
			cert := trusted.issue("server")
			cfg := tlsconfig.Server{CertFile: cert.CertFile, KeyFile: cert.KeyFile}
			if x.mutual {
				cfg.ClientCAFile = trusted.File
			}
			s := serve(t, cfg)
			for _, addr := range []string{s.Addr(), s.AdminAddr()} {
				_, version, err := get(t, addr, x.client)
				x.judge(t, err)
				if x.enters {
					require.Equal(t, "HTTP/2.0", version)
				}
			}
		})
	}
}

func TestOldVersionsOfTLSAreRefused(t *testing.T) {
	trusted := newAuthority(t, "ours")
	cert := trusted.issue("server")
	s := serve(t, tlsconfig.Server{CertFile: cert.CertFile, KeyFile: cert.KeyFile})
	for version, ok := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", s.Addr(), &tls.Config{
			InsecureSkipVerify: true, MinVersion: version,
			MaxVersion: version,
		})
		require.Equal(t, ok, err == nil, "%s: %v", tls.VersionName(version), err)
		if err == nil {
			require.NoError(t, conn.Close())
		}
	}
}

func TestARenewedCertificateIsTakenWithoutARestartAndABrokenOneIsNot(t *testing.T) {
	trusted := newAuthority(t, "ours")
	first, second := trusted.issue("server"), trusted.issue("server")
	s := serve(t, tlsconfig.Server{CertFile: first.CertFile, KeyFile: first.KeyFile})
	client := tlsconfig.Config{Enabled: true, CAFile: trusted.File}
	serial := func() string {
		serial, _, err := get(t, s.Addr(), client)
		require.NoError(t, err, "it is served all the while")
		return serial
	}
	old := serial()
	copyOver := func(from, to string) {
		text, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to, text, 0o600))
	}
	copyOver(second.CertFile, first.CertFile) // its key is still the old one
	later := time.Now().Add(5 * time.Second)
	require.NoError(t, os.Chtimes(first.CertFile, later, later))
	require.Never(t, func() bool { return serial() != old }, 1500*time.Millisecond, 100*time.Millisecond)
	copyOver(second.KeyFile, first.KeyFile)
	require.NoError(t, os.Chtimes(first.KeyFile, later, later))
	wait.Until(t, func() bool { return serial() != old })
}
