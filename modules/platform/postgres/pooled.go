package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrPooler says that postgres.dsn does not lead to the server itself.
var ErrPooler = errors.New("a connection pooler answers at postgres.dsn, which keeps no session's settings, locks and prepared statements: " +
	"put the server's own address there, and the pooler's in postgres.pooled_dsn")

// isServer tells a server from a pooler, which hands out keys for cancelling of its own.
func isServer(ctx context.Context, conn *pgx.Conn) error {
	var pid uint32
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&pid); err != nil {
		return err
	}
	if pid != conn.PgConn().PID() {
		return ErrPooler
	}
	return nil
}

// Explained adds what to do to the error of a connection that a pooler refuses.
func Explained(err error) error {
	var failure *pgconn.PgError
	if errors.As(err, &failure) && failure.Code == "08P01" {
		return fmt.Errorf("%w (%w)", ErrPooler, err)
	}
	return err
}

// Reader asks for rows: what needs neither a session nor a transaction.
type Reader interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

var (
	_ Reader = (*pgxpool.Pool)(nil)
	_ Reader = (*Pooled)(nil)
)

// Pooled reads by way of a pooler, whose connections are another's after each transaction: nothing is prepared, and
// what a session would be set to is set with each query, in the same round trip.
type Pooled struct {
	pool     *pgxpool.Pool
	settings string
}

// NewPooled makes a reader without dialling.
func NewPooled(ctx context.Context, cfg Config) (*Pooled, error) {
	config, err := pgxpool.ParseConfig(cfg.PooledDSN)
	if err != nil {
		return nil, errors.New("postgres.pooled_dsn does not parse") // the library's error may quote the password
	}
	config.MaxConns = int32(cfg.MaxConns) // validated: at most 1000
	config.ConnConfig.ConnectTimeout = cfg.DialTimeout
	config.ConnConfig.RuntimeParams["application_name"] = "feedrank"
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	config.ConnConfig.Tracer = statements{}
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	// A statement that nobody waits for is ended: closing the connection to a pooler does not.
	config.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cfg.DialTimeout}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return &Pooled{
		pool: pool,
		settings: fmt.Sprintf("SELECT set_config('statement_timeout', '%d', true), set_config('row_security', 'off', true)",
			cfg.StatementTimeout.Milliseconds()),
	}, err
}

// Query asks in a transaction of its own.
func (p *Pooled) Query(ctx context.Context, query string, args ...any) (pgx.Rows, error) {
	batch := &pgx.Batch{}
	batch.Queue(p.settings)
	batch.Queue(query, args...)
	results := p.pool.SendBatch(ctx, batch)
	if _, err := results.Exec(); err != nil {
		return nil, errors.Join(err, results.Close())
	}
	rows, err := results.Query()
	if err != nil {
		return nil, errors.Join(err, results.Close())
	}
	return pooledRows{rows, results}, nil
}

// Ping asks the server behind the pooler.
func (p *Pooled) Ping(ctx context.Context) error {
	if err := p.pool.Ping(ctx); err != nil {
		return fmt.Errorf("by way of postgres.pooled_dsn: %w", err)
	}
	return nil
}

// Close closes the connections.
func (p *Pooled) Close() { p.pool.Close() }

// pooledRows give the connection back when they are closed.
type pooledRows struct {
	pgx.Rows
	results pgx.BatchResults
}

func (r pooledRows) Close() {
	r.Rows.Close()
	_ = r.results.Close() // rows have its error
}
