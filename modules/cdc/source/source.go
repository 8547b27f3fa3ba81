package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Source is the built-in connector. Any number of replicas may run it; one reads at a time.
type Source struct {
	cfg      Config
	name     string
	tables   []Table
	topic    func(table string) string
	postgres postgres.Config
	kafka    kafka.Config
	clock    core.Clock
	log      *zap.Logger
	metrics  *metrics
	state    *state
	largest  int // bytes of a record's value; brokers may allow less than we begin with
	workers  *worker.Group
}

// Params are what a Source needs.
type Params struct {
	Config     Config
	Name       string                    // cdc.topic_prefix, which Debezium calls the connector's name
	Tables     []Table                   // in the order of the snapshot
	Topic      func(table string) string // the full name of a table's topic
	Postgres   postgres.Config
	Kafka      kafka.Config
	Clock      core.Clock
	Log        *zap.Logger
	Registerer prometheus.Registerer
	Failure    worker.Failure
}

// New makes a source. Start starts it.
func New(p Params) *Source {
	return &Source{
		cfg: p.Config, name: p.Name, tables: p.Tables, topic: p.Topic, postgres: p.Postgres, kafka: p.Kafka,
		clock: p.Clock, log: p.Log.Named("cdc.source"), metrics: newMetrics(p.Registerer),
		state: newState(p.Clock), largest: maxMessage, workers: worker.NewGroup(p.Failure),
	}
}

// Start begins to compete for the lead, in the background.
func (s *Source) Start(context.Context) error {
	s.workers.Go("cdc-source", s.run)
	return nil
}

// Stop ends reading. What Kafka has not acknowledged is read again by whoever comes next.
func (s *Source) Stop(ctx context.Context) error { return s.workers.Stop(ctx) }

// ErrLostSlot says that changes were lost: PostgreSQL no longer has the log that our slot stood for.
var ErrLostSlot = errors.New("the replication slot or its publication is lost, and changes with it: set cdc.source.on_lost_slot=resync to read all tables anew")

// standbyAfter is how long a replica asks for the lead until it is one that stands by.
const standbyAfter = 2 * time.Second

func (s *Source) run(ctx context.Context) error {
	pause := worker.Backoff{Least: 100 * time.Millisecond, Most: s.cfg.MaxBackoff}
	for ctx.Err() == nil {
		started := s.clock.Now()
		standby := time.AfterFunc(s.postgres.DialTimeout+standbyAfter, s.state.standsBy)
		err := postgres.WithAdvisoryLock(ctx, s.postgres, "cdc-source:"+s.cfg.Slot,
			func(ctx context.Context, lock *pgx.Conn) error {
				standby.Stop()
				return s.lead(ctx, lock)
			})
		standby.Stop()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrLostSlot) && s.cfg.OnLostSlot == "fail":
			return err
		case s.clock.Now().Sub(started) > s.cfg.MaxBackoff: // it worked for a while
			pause.Reset()
		}
		s.metrics.reconnects.Inc()
		s.state.failed(err)
		s.allowLess(err)
		s.log.Warn("source ended; it begins again", zap.Duration("retry_in", pause.Next()), zap.Error(err))
		if err := pause.Wait(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// allowLess makes records smaller when a broker refuses one for its size.
func (s *Source) allowLess(err error) {
	if !errors.Is(err, sarama.ErrMessageSizeTooLarge) || s.largest <= leastMessage {
		return
	}
	s.largest = max(s.largest/2, leastMessage)
	s.log.Error("Kafka refuses a record for its size: raise max.message.bytes of the brokers and topics; large values are left out of records from now on",
		zap.Int("largest", s.largest), zap.Error(err))
}

// connected does something with two connections: one for queries, one that replicates.
func (s *Source) connected(
	ctx context.Context, do func(ctx context.Context, db, replication *pgx.Conn) error,
) (err error) {
	db, err := s.connect(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeConn(db)) }()
	replication, err := s.connect(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeConn(replication)) }()
	return do(ctx, db, replication)
}

// session prepares, takes the snapshots that are missing, and then follows the log.
func (s *Source) session(ctx context.Context, db, replication *pgx.Conn, lead int64) error {
	out, err := newSink(s.kafka, s.cfg, s.metrics, s.largest)
	if err != nil {
		return err
	}
	defer out.close()
	at, err := s.prepare(ctx, db, replication.PgConn())
	if err != nil {
		return err
	}
	at.lead = lead
	if err := s.snapshots(ctx, db, at, out); err != nil {
		return err
	}
	well := time.AfterFunc(s.cfg.MaxBackoff, s.state.well)
	defer well.Stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.stream(ctx, replication.PgConn(), at, out) })
	group.Go(func() error { return s.watch(ctx, db, at.tables) })
	return group.Wait()
}

// connect opens a connection whose text forms are the ones that pgvalue reads.
func (s *Source) connect(ctx context.Context, replication bool) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(s.postgres.DSN)
	if err != nil {
		return nil, errors.New("postgres.dsn does not parse")
	}
	config.ConnectTimeout = s.postgres.DialTimeout
	params := config.RuntimeParams
	params["application_name"] = s.sessionName()
	params["timezone"], params["datestyle"], params["intervalstyle"] = "UTC", "ISO, MDY", "iso_8601"
	params["bytea_output"], params["extra_float_digits"], params["client_encoding"] = "hex", "3", "UTF8"
	params["client_min_messages"] = "warning"
	params["row_security"] = "off" // a read that policies would filter fails instead: half of a table is none
	params["statement_timeout"], params["idle_in_transaction_session_timeout"], params["lock_timeout"] = "0", "0", "0"
	postgres.Probed(params)
	if replication {
		params["replication"] = "database"
		config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, postgres.Explained(fmt.Errorf("postgres connect: %w", err))
	}
	return conn, nil
}

func closeConn(conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return conn.Close(ctx)
}
