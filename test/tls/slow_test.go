package tls

import (
	"crypto/tls"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/tlsconfig"
)

// impatient is a server that waits for nobody.
func impatient(t *testing.T) (addr string, trusted *authority) {
	t.Helper()
	trusted = newAuthority(t, "ours")
	cert := trusted.issue("server")
	s := serve(t, tlsconfig.Server{CertFile: cert.CertFile, KeyFile: cert.KeyFile}, func(c *httpserver.Config) {
		c.ReadHeaderTimeout, c.ReadTimeout, c.IdleTimeout = 100*time.Millisecond, 200*time.Millisecond,
			300*time.Millisecond
	})
	return s.Addr(), trusted
}

// HTTP/2 keeps a connection open between requests, and has times of its own.
func TestClientsOfHTTP2ThatTrickleAreHungUpOn(t *testing.T) {
	const (
		preface  = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
		settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
		headers  = "\x00\x00\x64\x01\x04\x00\x00\x00\x01" // of 100 bytes, which do not come
	)
	addr, _ := impatient(t)
	for name, opening := range map[string]string{
		"nothing": "", "half a preface": preface[:10],
		"no request": preface + settings, "half a header": preface + settings + headers,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // 10 s, which nobody can set, is how long a preface may take
			conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
			require.NoError(t, err)
			defer func() { _ = conn.Close() }()
			require.Equal(t, "h2", conn.ConnectionState().NegotiatedProtocol)
			require.NoError(t, conn.SetDeadline(time.Now().Add(15*time.Second)))
			_, err = io.WriteString(conn, opening)
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, conn)
			require.NoError(t, err, "the server hangs up before our own deadline")
		})
	}
}

func TestABodyThatTricklesOverHTTP2IsNotWaitedFor(t *testing.T) {
	addr, trusted := impatient(t)
	client, err := tlsconfig.Config{Enabled: true, CAFile: trusted.File}.Client()
	require.NoError(t, err)
	transport := &http.Transport{TLSClientConfig: client, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	body, begun := io.Pipe()
	defer func() { _ = begun.Close() }()
	go func() { _, _ = begun.Write([]byte("{")) }() // and no more
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+addr+"/", body)
	require.NoError(t, err)
	response, err := (&http.Client{Transport: transport, Timeout: 15 * time.Second}).Do(request)
	require.NoError(t, err)
	require.Equal(t, "HTTP/2.0", response.Proto)
	require.Equal(t, http.StatusRequestTimeout, response.StatusCode)
	require.NoError(t, response.Body.Close())
}
