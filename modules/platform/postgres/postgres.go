package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Config says where PostgreSQL is. TLS is part of the DSN (sslmode, sslrootcert, sslcert, sslkey).
type Config struct {
	DSN              string        `koanf:"dsn" validate:"required,postgres_dsn" secret:"true"`         // the app's database; TLS by sslmode, sslrootcert, sslcert and sslkey
	PooledDSN        string        `koanf:"pooled_dsn" validate:"omitempty,postgres_dsn" secret:"true"` // a pooler (PgBouncer in transaction mode) before the same database, for the reads of feeds; locks, replication and migrations need dsn to be the server itself
	MaxConns         int           `koanf:"max_conns" validate:"gte=1,lte=1000"`
	DialTimeout      time.Duration `koanf:"dial_timeout" validate:"gte=10ms,lte=1m"`
	StatementTimeout time.Duration `koanf:"statement_timeout" validate:"gte=10ms,lte=1h"` // the server ends what takes longer
}

// DefaultConfig is a server on this machine.
func DefaultConfig() Config {
	return Config{
		DSN: "postgres://feedrank@127.0.0.1:5432/feedrank_app?sslmode=disable", MaxConns: 8,
		DialTimeout: time.Second, StatementTimeout: 10 * time.Second,
	}
}

// Schema is where everything of ours lives; the rest of the database is the app's.
const Schema = "feedrank"

// NewPool makes a pool without dialling.
func NewPool(ctx context.Context, cfg Config) (*pgxpool.Pool, error) { return newPool(ctx, cfg, nil) }

// NewReadOnlyPool is NewPool with transactions that can only read.
func NewReadOnlyPool(ctx context.Context, cfg Config) (*pgxpool.Pool, error) {
	return newPool(ctx, cfg, map[string]string{"default_transaction_read_only": "on"})
}

func newPool(ctx context.Context, cfg Config, params map[string]string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(cfg.DSN)
	if err != nil {
		return nil, errors.New("postgres.dsn does not parse") // the library's error may quote the password
	}
	config.MaxConns = int32(cfg.MaxConns) // validated: at most 1000
	config.ConnConfig.ConnectTimeout = cfg.DialTimeout
	config.ConnConfig.RuntimeParams["application_name"] = "feedrank"
	config.ConnConfig.RuntimeParams["statement_timeout"] = fmt.Sprint(cfg.StatementTimeout.Milliseconds())
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	// a read that policies would filter fails instead: half of a table is none
	config.ConnConfig.RuntimeParams["row_security"] = "off"
	maps.Copy(config.ConnConfig.RuntimeParams, params)
	config.AfterConnect = isServer
	config.ConnConfig.Tracer = statements{}
	return pgxpool.NewWithConfig(ctx, config)
}

// WithAdvisoryLock runs f while it holds the lock of that name, on a connection of its own. It
// asks for the lock until ctx ends; the lock falls with the connection, whatever kills us: also when our
// host is gone without a word, because the server asks.
func WithAdvisoryLock(ctx context.Context, cfg Config, name string,
	f func(context.Context, *pgx.Conn) error,
) (err error) {
	config, err := pgx.ParseConfig(cfg.DSN)
	if err != nil {
		return errors.New("postgres.dsn does not parse")
	}
	config.ConnectTimeout = cfg.DialTimeout
	config.RuntimeParams["application_name"] = "feedrank"
	config.RuntimeParams["timezone"] = "UTC"
	Probed(config.RuntimeParams)
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return Explained(fmt.Errorf("postgres connect: %w", err))
	}
	defer func() { err = errors.Join(err, closeConn(conn)) }()
	if err := isServer(ctx, conn); err != nil {
		return err
	}
	if err := lock(ctx, conn, name); err != nil {
		return fmt.Errorf("postgres lock %s: %w", name, err)
	}
	return f(ctx, conn)
}

// lockPause is how long the one who does not get a lock waits until it asks again.
const lockPause = 250 * time.Millisecond

// lock asks again and again. A session that waited inside pg_advisory_lock would keep its snapshot for as
// long as another holds the lock, perhaps for weeks: VACUUM could clear nothing meanwhile, and
// statement_timeout would end it. Between two questions this one holds nothing.
func lock(ctx context.Context, conn *pgx.Conn, name string) error {
	if err := waitsIdle(ctx, conn); err != nil {
		return err
	}
	tick := time.NewTicker(lockPause)
	defer tick.Stop()
	for {
		var held bool
		err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", "feedrank:"+name).Scan(&held)
		if held || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// waitsIdle keeps the role's idle_session_timeout, where there is one, from ending a session that waits.
func waitsIdle(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx,
		"SELECT set_config('idle_session_timeout', '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'")
	return err
}

// Probed has the server find out within 14 s that the client's host is gone; by default it takes hours,
// for which locks and replication slots would be held.
func Probed(params map[string]string) {
	params["tcp_keepalives_idle"], params["tcp_keepalives_interval"], params["tcp_keepalives_count"] = "5", "3", "3"
}

// IsUndefined tells whether err says that a table, a column or a schema does not exist.
func IsUndefined(err error) bool {
	var failure *pgconn.PgError
	if !errors.As(err, &failure) {
		return false
	}
	return failure.Code == "42P01" || failure.Code == "42703" || failure.Code == "3F000"
}

// IsPrivilege tells whether err says that our role may not do that.
func IsPrivilege(err error) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && failure.Code == "42501"
}

func closeConn(conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return conn.Close(ctx)
}

// IsConnectionError tells whether the connection failed, rather than the statement.
func IsConnectionError(err error) bool {
	var failure *pgconn.PgError
	if errors.As(err, &failure) {
		return strings.HasPrefix(failure.Code, "57P") // the server shuts down, or an operator ended the session
	}
	var network net.Error
	return pgconn.SafeToRetry(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) ||
		(errors.As(err, &network) && !network.Timeout())
}
