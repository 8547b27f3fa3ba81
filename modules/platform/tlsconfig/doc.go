// Package tlsconfig is how our clients and our server speak TLS. Certificates are read again when
// their files change.
package tlsconfig
