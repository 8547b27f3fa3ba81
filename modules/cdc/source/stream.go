package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
)

// stream follows the log from where the slot stands. It ends only in an error.
//
// Protocol version 1 sends a transaction once it has committed: the server keeps a large one on its
// disk meanwhile, and we pass its rows on as they arrive, so that no transaction is ever held in
// our memory.
func (s *Source) stream(ctx context.Context, conn *pgconn.PgConn, at start, out *sink) error {
	tables := map[string]*table{}
	for _, t := range at.tables {
		tables[t.fullName()] = t
	}
	err := pglogrepl.StartReplication(ctx, conn, pgx.Identifier{s.cfg.Slot}.Sanitize(), 0,
		pglogrepl.StartReplicationOptions{
			Mode:       pglogrepl.LogicalReplication,
			PluginArgs: []string{"proto_version '1'", "publication_names '" + s.cfg.Publication + "'"},
		})
	if err != nil {
		return fmt.Errorf("start replication from slot %s: %w", s.cfg.Slot, err)
	}
	s.log.Info("following the log", zap.String("slot", s.cfg.Slot), zap.String("system", at.system),
		zap.Int32("timeline", at.timeline))
	r := &reader{
		Source: s, conn: conn, out: out, encoder: s.encoder(at), tables: tables,
		relations: map[uint32]*relation{},
	}
	out.keepAlive = func() error { return r.status(ctx) }
	return r.run(ctx)
}

// reader is one replication connection.
type reader struct {
	*Source
	conn      *pgconn.PgConn
	out       *sink
	encoder   encoder
	tables    map[string]*table
	relations map[uint32]*relation

	open       *transaction // the transaction whose rows arrive
	changed    bool         // it has changes of ours
	at         moment       // its commit
	lastCommit uint64
	told       time.Time // when the database last heard from us
}

func (r *reader) run(ctx context.Context) error {
	for {
		if err := r.out.failure(); err != nil {
			return err
		}
		if r.statusDue() <= 0 {
			if err := r.status(ctx); err != nil {
				return err
			}
		}
		data, err := r.receive(ctx)
		if err != nil {
			return err
		}
		if data == nil {
			continue
		}
		if err := r.message(ctx, data); err != nil {
			return err
		}
	}
}

// receive waits for the next message, but not longer than a status is due; then it returns nil.
func (r *reader) receive(ctx context.Context) (*pgproto3.CopyData, error) {
	waiting, cancel := context.WithTimeout(ctx, r.statusDue())
	defer cancel()
	raw, err := r.conn.ReceiveMessage(waiting)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case pgconn.Timeout(err):
		return nil, nil // nothing came
	default:
		return nil, fmt.Errorf("replication: %w", err)
	}
	switch m := raw.(type) {
	case *pgproto3.CopyData:
		return m, nil
	case *pgproto3.ErrorResponse:
		return nil, fmt.Errorf("replication: %w", pgconn.ErrorResponseToPgError(m))
	case *pgproto3.NoticeResponse:
		r.notice(m)
		return nil, nil // nothing for us
	case *pgproto3.ParameterStatus, *pgproto3.NotificationResponse:
		return nil, nil // nothing for us
	}
	return nil, fmt.Errorf("replication: unexpected %T", raw)
}

// notice passes on what the server says beside the log: how loud it is depends on the role's settings.
func (r *reader) notice(m *pgproto3.NoticeResponse) {
	log := r.log.Debug
	if m.SeverityUnlocalized == "WARNING" {
		log = r.log.Warn
	}
	log("PostgreSQL says", zap.String("severity", m.SeverityUnlocalized), zap.String("message", m.Message),
		zap.String("detail", m.Detail),
		zap.String("hint", m.Hint), zap.String("code", m.Code))
}

var errEmptyMessage = errors.New("replication: an empty message")

func (r *reader) message(ctx context.Context, data *pgproto3.CopyData) error {
	if len(data.Data) == 0 {
		return errEmptyMessage
	}
	switch data.Data[0] {
	case pglogrepl.PrimaryKeepaliveMessageByteID:
		alive, err := pglogrepl.ParsePrimaryKeepaliveMessage(data.Data[1:])
		if err != nil {
			return fmt.Errorf("replication keepalive: %w", err)
		}
		if r.open == nil { // all that was before it has reached us
			r.out.idle(uint64(alive.ServerWALEnd))
		}
		if alive.ReplyRequested {
			return r.status(ctx)
		}
	case pglogrepl.XLogDataByteID:
		log, err := pglogrepl.ParseXLogData(data.Data[1:])
		if err != nil {
			return fmt.Errorf("replication data: %w", err)
		}
		return r.decode(ctx, log)
	}
	return nil
}

// statusDue is how long it is until the database must hear from us.
func (r *reader) statusDue() time.Duration {
	now := r.clock.Now()
	if !core.Within(r.cfg.StatusInterval, r.told, now) {
		return 0
	}
	return r.cfg.StatusInterval - now.Sub(r.told)
}

// status tells the database up to where Kafka has everything, which it may then forget.
func (r *reader) status(ctx context.Context) error {
	r.told = r.clock.Now()
	at := pglogrepl.LSN(r.out.position())
	if err := pglogrepl.SendStandbyStatusUpdate(ctx, r.conn,
		pglogrepl.StandbyStatusUpdate{WALWritePosition: at}); err != nil {
		return fmt.Errorf("replication status: %w", err)
	}
	return nil
}
