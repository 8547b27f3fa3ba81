// Package tls holds our clients and our server to TLS with real handshakes: each with the authority it
// trusts, with another one, with and without a certificate of its own.
package tls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/tlsconfig"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) { stack.Main(m, embeddedtest.Only(embedded.ClickHouse)) }

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	File string // its own certificate
}

// issued is a certificate with its key, in files and in memory.
type issued struct {
	CertFile, KeyFile string
	Pair              tls.Certificate
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IsCA: true,
		BasicConstraintsValid: true,
		NotBefore:             time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{t: t, cert: cert, key: key, File: write(t, "ca.pem", "CERTIFICATE", der)}
}

// issue makes a certificate for this machine, under a name.
func (a *authority) issue(name string) issued {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		DNSNames:    []string{name, "localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{
			x509.ExtKeyUsageServerAuth,
			x509.ExtKeyUsageClientAuth,
		},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	require.NoError(a.t, err)
	private, err := x509.MarshalECPrivateKey(key)
	require.NoError(a.t, err)
	out := issued{
		CertFile: write(a.t, "cert.pem", "CERTIFICATE", der),
		KeyFile:  write(a.t, "key.pem", "EC PRIVATE KEY", private),
	}
	out.Pair, err = tls.LoadX509KeyPair(out.CertFile, out.KeyFile)
	require.NoError(a.t, err)
	return out
}

func write(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return file
}

// server is what a server does with a certificate of the authority; with mutual, clients must show one too.
func (a *authority) server(mutual bool) *tls.Config {
	out := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{a.issue("server").Pair}}
	if mutual {
		out.ClientCAs, out.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		out.ClientCAs.AddCert(a.cert)
	}
	return out
}

// trial is one way for a client to come.
type trial struct {
	name   string
	mutual bool // the server wants a certificate
	client tlsconfig.Config
	enters bool
}

// trials are all ways, and who must get in.
func trials(t *testing.T, trusted *authority) []trial {
	t.Helper()
	other := newAuthority(t, "somebody else")
	own, foreign := trusted.issue("feedrank"), other.issue("feedrank")
	client := func(change func(*tlsconfig.Config)) tlsconfig.Config {
		c := tlsconfig.Config{Enabled: true, CAFile: trusted.File}
		if change != nil {
			change(&c)
		}
		return c
	}
	show := func(i issued) func(*tlsconfig.Config) {
		return func(c *tlsconfig.Config) { c.CertFile, c.KeyFile = i.CertFile, i.KeyFile }
	}
	return []trial{
		{"the right authority", false, client(nil), true},
		{"its own certificate, which nobody asks for", false, client(show(own)), true},
		{"mutual", true, client(show(own)), true},
		{"mutual, without a certificate", true, client(nil), false},
		{"mutual, with a certificate of others", true, client(show(foreign)), false},
		{"the wrong authority", false, client(func(c *tlsconfig.Config) { c.CAFile = other.File }), false},
		{"the system's authorities", false, client(func(c *tlsconfig.Config) { c.CAFile = "" }), false},
		{"another server's name", false, client(func(c *tlsconfig.Config) { c.ServerName = "elsewhere" }), false},
		{"another server's name, told of", false, client(func(c *tlsconfig.Config) { c.ServerName = "server" }), true},
		{"in the clear", false, tlsconfig.Config{}, false},
		{"not verifying", false, client(func(c *tlsconfig.Config) { c.CAFile, c.InsecureSkipVerify = "", true }), true},
	}
}

// judge holds what a client met against what it must.
func (x trial) judge(t *testing.T, err error) {
	t.Helper()
	if x.enters {
		require.NoError(t, err)
		return
	}
	require.Error(t, err)
}
