package tlsconfig

import (
	"crypto/tls"
	"errors"
	"fmt"
)

// Config says how a client speaks TLS to its server.
type Config struct {
	Enabled            bool   `koanf:"enabled"`
	CAFile             string `koanf:"ca_file"`              // PEM; empty: the system's authorities
	CertFile           string `koanf:"cert_file"`            // PEM; for mutual TLS, with key_file; read again when it changes
	KeyFile            string `koanf:"key_file"`             // PEM
	ServerName         string `koanf:"server_name"`          // empty: the host of the address
	InsecureSkipVerify bool   `koanf:"insecure_skip_verify"` // for tests on one machine only
}

// ErrNoCertificates is returned for an authority file without a certificate in it.
var ErrNoCertificates = errors.New("no PEM certificate in it")

// Client is the crypto/tls configuration; nil when TLS is off.
func (c Config) Client() (*tls.Config, error) {
	if !c.Enabled {
		return nil, nil // no TLS is what nil means to every client library
	}
	out := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: c.ServerName,
		InsecureSkipVerify: c.InsecureSkipVerify, //nolint:gosec // the operator's explicit choice, named for what it is
	}
	if c.CAFile != "" {
		var err error
		if out.RootCAs, err = authorities("tls.ca_file", c.CAFile); err != nil {
			return nil, err
		}
	}
	if c.CertFile != "" || c.KeyFile != "" {
		pair := newWatched(func() (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
			if err != nil {
				return nil, fmt.Errorf("tls.cert_file and tls.key_file: %w", err)
			}
			return &pair, nil
		}, func(error) {}, c.CertFile, c.KeyFile) // the server says when the old one no longer holds
		if _, err := pair.get(); err != nil {
			return nil, err
		}
		out.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.get() }
	}
	return out, nil
}
