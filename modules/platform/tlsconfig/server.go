package tlsconfig

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"go.uber.org/zap"
)

// Server says how a server speaks TLS. The files are read again when they change: a renewed
// certificate needs no restart, and connections that are open stay.
type Server struct {
	CertFile     string `koanf:"cert_file"`      // PEM, with the chain; empty: no TLS
	KeyFile      string `koanf:"key_file"`       // PEM
	ClientCAFile string `koanf:"client_ca_file"` // PEM; clients must show a certificate of these authorities; empty: they need none
}

// Enabled tells whether there is a certificate.
func (s Server) Enabled() bool { return s.CertFile != "" }

// Check tells which settings lack each other.
func (s Server) Check() map[string]string {
	wrong := map[string]string{}
	if (s.CertFile == "") != (s.KeyFile == "") {
		wrong["key_file"] = "cert_file and key_file go together"
	}
	if s.ClientCAFile != "" && s.CertFile == "" {
		wrong["client_ca_file"] = "clients show certificates over TLS only: set cert_file and key_file"
	}
	return wrong
}

// Config is the crypto/tls configuration; nil when TLS is off. It fails if the files do not load now.
// Once it works, files that do not load later are logged, and what was loaded stays in use.
func (s Server) Config(log *zap.Logger) (*tls.Config, error) {
	if !s.Enabled() {
		return nil, nil // no TLS is what nil means to net/http
	}
	current := newWatched(s.load, func(err error) {
		log.Error("a new certificate does not load; the old one stays in use", zap.Error(err))
	}, s.CertFile, s.KeyFile, s.ClientCAFile)
	first, err := current.get()
	if err != nil {
		return nil, err
	}
	outer := first.Clone()
	outer.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return current.get() }
	return outer, nil
}

func (s Server) load() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("tls.cert_file and tls.key_file: %w", err)
	}
	out := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair},
		NextProtos: []string{"h2", "http/1.1"},
	}
	if s.ClientCAFile != "" {
		if out.ClientCAs, err = authorities("tls.client_ca_file", s.ClientCAFile); err != nil {
			return nil, err
		}
		out.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return out, nil
}

func authorities(key, file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s %s: %w", key, file, ErrNoCertificates)
	}
	return pool, nil
}
