package postgres

import (
	"errors"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// What a DSN may be. The messages never quote it: it holds a password.
var (
	errDSN = errors.New("postgres://user:password@host:port/database, postgres://user:password@/database?host=/socket/folder," +
		" or host=… port=… user=… password=… dbname=…")
	errDSNEscapes = errors.New("a URL whose password has %25 for %, %2F for / and %40 for @, or the form host=… user=… password=… dbname=…")
	errDSNPool    = errors.New("no pool_… in it: postgres.max_conns says how many connections there are")
	errDSNHost    = errors.New("a host in it, or host=/socket/folder: it names neither")
)

// CheckDSN tells whether the client takes a DSN, and otherwise what would be right. It does not dial.
func CheckDSN(dsn string) error {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return why(err)
	}
	if _, err := pgxpool.ParseConfig(dsn); err != nil {
		return errDSN
	}
	for _, host := range append([]string{config.Host}, fallbacks(config)...) {
		if strings.Contains(host, "@") { // a part of the password: dialling would show it
			return errDSNEscapes
		}
	}
	for name := range config.RuntimeParams {
		if strings.HasPrefix(name, "pool_") {
			return errDSNPool
		}
	}
	if !strings.Contains(dsn, "=") && !isURL(dsn) { // the library takes anything for a list of nothing
		return errDSN
	}
	if !namesHost(dsn) {
		return errDSNHost
	}
	return nil
}

func fallbacks(config *pgx.ConnConfig) (hosts []string) {
	for _, f := range config.Fallbacks {
		hosts = append(hosts, f.Host)
	}
	return hosts
}

func isURL(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// namesHost tells whether a DSN says where the server is. The library would guess: from PGHOST, or a socket
// that is there.
func namesHost(dsn string) bool {
	if !isURL(dsn) {
		return strings.Contains(dsn, "host=") || strings.Contains(dsn, "host =") || strings.Contains(dsn, "service=")
	}
	u, err := url.Parse(dsn)
	return err != nil || u.Host != "" || u.Query().Has("host") || u.Query().Has("service")
}

// why says what is wrong with a DSN that does not parse.
func why(err error) error {
	for _, part := range []struct{ in, want string }{
		{"sslmode is invalid", "sslmode one of: disable, allow, prefer, require, verify-ca, verify-full"},
		{"sslrootcert", "a file with the authorities that can be read (sslrootcert)"},
		{"CA file", "a file with the authorities that can be read (sslrootcert)"},
		{"cert", "sslcert and sslkey, both, as files that can be read"},
		{"percent-encoded", errDSNEscapes.Error()},
		{"invalid port", "a port from 1 to 65535 (in the password of a URL: %25 for %, %2F for /, %40 for @)"},
		{"target_session_attrs", "another target_session_attrs, such as read-write"},
	} {
		// The library writes the DSN first, with the password struck out as it guesses; what is behind is the cause.
		if cause := err.Error(); strings.Contains(cause[strings.LastIndex(cause, "`")+1:], part.in) {
			return errors.New(part.want)
		}
	}
	return errDSN
}
