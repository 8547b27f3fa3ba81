// Package abuse puts the attacks of strangers on the program, each at its default limits unless it says otherwise:
// whatever they hold, everybody else is answered. The table of what can be held is in httpserver's doc.go.
package abuse

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/bench/attack"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) { stack.Main(m) }

// program is a running feedrank with TLS and an address for operators.
type program struct {
	t            *testing.T
	cfg          config.Config
	users, admin string
}

func start(t *testing.T, change func(*config.Config)) *program {
	t.Helper()
	s := stack.New(t)
	cfg := config.Default()
	cfg.Roles = []string{"api"}
	cfg.HTTP.Addr, cfg.HTTP.AdminAddr = "127.0.0.1:0", "127.0.0.1:0"
	cfg.HTTP.TLS.CertFile, cfg.HTTP.TLS.KeyFile = certificate(t)
	cfg.HTTP.Unlimited = []string{"127.0.0.1/32"} // we; who attacks has another address
	cfg.Auth.HS256Secret = strings.Repeat("s", 32)
	cfg.RateLimit.UserPerMinute = 0 // everybody else asks as often as the machine lets them
	cfg.ClickHouse, cfg.Postgres, cfg.Kafka, cfg.Redis = s.ClickHouseConfig, s.PostgresConfig, s.KafkaConfig,
		s.RedisConfig
	if change != nil {
		change(&cfg)
	}
	_, err := app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	running, err := app.Start(t.Context(), cfg, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, running.Stop()) })
	return &program{t: t, cfg: cfg, users: running.Addr(), admin: running.AdminAddr()}
}

// certificate is one that nobody checks.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		0o600))
	return certFile, keyFile
}

// attacker is a stranger at 127.0.0.n.
func (p *program) attacker(n byte) attack.Target {
	return attack.Target{
		Addr: p.users, From: netip.AddrFrom4([4]byte{127, 0, 0, n}),
		TLS: &tls.Config{InsecureSkipVerify: true}, // a test's own server
	}
}

func (p *program) token(user core.ID) string {
	p.t.Helper()
	token, err := auth.Sign(p.cfg.Auth, user, false, time.Hour, time.Now())
	require.NoError(p.t, err)
	return "Bearer " + token
}

// client is one with connections of its own.
func client(t *testing.T) *http.Client {
	t.Helper()
	// a test's own server
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

// ask is the status of a call, or what was in the way.
func ask(c *http.Client, method, url, token, body string) string {
	request, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	request.Header.Set("Authorization", token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.Do(request)
	if err != nil {
		return err.Error()
	}
	_, err = io.Copy(io.Discard, response.Body)
	if _ = response.Body.Close(); err != nil {
		return err.Error()
	}
	return fmt.Sprint(response.StatusCode)
}

// honest are the calls of everybody else, each with the status that it has when nothing is wrong.
func (p *program) honest() []func(*http.Client) (what, got, want string) {
	call := func(method, addr, path, body, want string) func(*http.Client) (string, string, string) {
		token := p.token(7)
		return func(c *http.Client) (string, string, string) {
			return method + " " + path, ask(c, method, "https://"+addr+path, token, body), want
		}
	}
	return []func(*http.Client) (string, string, string){
		call("GET", p.users, "/healthz", "", "200"), call("GET", p.users, "/readyz", "", "200"),
		call("GET", p.users, "/api/v1/feed/trending", "", "200"),
		call("POST", p.users, "/api/v1/events", `{"events":[{}]}`, "202"),
		call("GET", p.admin, "/healthz", "", "200"), call("GET", p.admin, "/metrics", "", "200"),
	}
}

// during has everybody else ask while an attack goes on, on kept connections and on new ones, and requires
// answers to be what they always are.
func (p *program) during(lasting time.Duration, attack func(context.Context)) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), lasting)
	defer cancel()
	var attacking, asking sync.WaitGroup
	kept := client(p.t)
	for _, call := range p.honest() {
		what, got, want := call(kept)
		require.Equal(p.t, want, got, "%s, before the attack", what)
	}
	attacking.Go(func() { attack(ctx) })
	var mu sync.Mutex
	wrong, all := map[string]int{}, 0
	for _, call := range p.honest() {
		asking.Go(func() {
			for round := 0; ctx.Err() == nil; round++ {
				with := kept
				if round%2 == 1 {
					with = client(p.t)
				}
				what, got, want := call(with)
				if with != kept {
					with.CloseIdleConnections()
				}
				mu.Lock()
				if all++; got != want {
					wrong[what+": "+got]++
				}
				mu.Unlock()
			}
		})
	}
	asking.Wait()
	attacking.Wait()
	require.Greater(p.t, all, 2*len(p.honest()))
	p.t.Logf("%d calls of others, not as ever: %v", all, wrong)
	shed := 0
	for what, n := range wrong {
		require.Contains(p.t, what, "/api/v1/", "a probe and an operator are always answered")
		require.Contains(p.t, what, ": 503", "of %d calls of others: %v", all, wrong)
		shed += n
	}
	require.LessOrEqual(p.t, 20*shed, all, "a busy machine sheds some calls, an attack no more than that: %v", wrong)
}
