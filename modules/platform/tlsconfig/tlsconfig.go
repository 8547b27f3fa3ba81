// Package tlsconfig is the TLS settings that every client shares.
package tlsconfig

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// Config says how a client speaks TLS to its server.
type Config struct {
	Enabled            bool   `koanf:"enabled"`
	CAFile             string `koanf:"ca_file"`              // PEM; empty: the system's authorities
	CertFile           string `koanf:"cert_file"`            // PEM; for mutual TLS, with key_file
	KeyFile            string `koanf:"key_file"`             // PEM
	ServerName         string `koanf:"server_name"`          // empty: the host of the address
	InsecureSkipVerify bool   `koanf:"insecure_skip_verify"` // for tests on one machine only
}

// ErrNoCertificates is returned for an authority file without a certificate in it.
var ErrNoCertificates = errors.New("no PEM certificate in it")

// Client is the crypto/tls configuration; nil when TLS is off.
func (c Config) Client() (*tls.Config, error) {
	if !c.Enabled {
		return nil, nil //nolint:nilnil // no TLS is what nil means to every client library
	}
	out := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: c.ServerName,
		InsecureSkipVerify: c.InsecureSkipVerify, //nolint:gosec // the operator's explicit choice, named for what it is
	}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tls.ca_file: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.ca_file %s: %w", c.CAFile, ErrNoCertificates)
		}
	}
	if c.CertFile != "" || c.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("tls.cert_file and tls.key_file: %w", err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}
