//go:build real

package real_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/wait"
)

// scene is one database with one connector on it, driven step by step.
type scene struct {
	*servers.Stack
	t       *testing.T
	configs servers.Configs
	name    string // unique; of the database, the slot and before every topic
	db      *pgx.Conn

	connector *servers.Connector
}

// newScene makes the database and, in it, the tables of setup. One partition a topic: the order of
// records is the order of commits.
func newScene(t *testing.T, setup ...string) *scene {
	t.Helper()
	stack, configs := fresh(t)
	s := &scene{Stack: stack, t: t, configs: configs, name: strings.TrimSuffix(configs.KafkaConfig.TopicPrefix, ".")}
	s.db = s.connection()
	s.exec(setup...)
	return s
}

func (s *scene) connection() *pgx.Conn {
	s.t.Helper()
	db, err := pgx.Connect(s.t.Context(), s.configs.PostgresConfig.DSN)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = db.Close(context.Background()) }) // its server may have been killed
	return db
}

// exec runs statements, each in a transaction of its own.
func (s *scene) exec(statements ...string) {
	s.t.Helper()
	for _, statement := range statements {
		_, err := s.db.Exec(s.t.Context(), statement)
		require.NoError(s.t, err, statement)
	}
}

// columns are those of a table: Debezium sends them all.
func (s *scene) columns(table string) []string {
	s.t.Helper()
	rows, _ := s.db.Query(s.t.Context(),
		`SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, table)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(s.t, err)
	return names
}

// begin opens a transaction that has an id, on a connection of its own.
func (s *scene) begin() (tx pgx.Tx, id string) {
	s.t.Helper()
	tx, err := s.connection().Begin(s.t.Context())
	require.NoError(s.t, err)
	require.NoError(s.t, tx.QueryRow(s.t.Context(), "SELECT pg_current_xact_id()::xid::text").Scan(&id))
	return tx, id
}

// awaitWaiter returns when somebody, here the slot that is being made, waits for a transaction to end.
func (s *scene) awaitWaiter(id string) {
	s.t.Helper()
	wait.Until(s.t, func() bool {
		var waits bool
		err := s.db.QueryRow(s.t.Context(), `SELECT EXISTS (
			SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid' AND transactionid::text = $1)`, id).Scan(&waits)
		return err == nil && waits
	}, "nobody waits for transaction %s", id)
}

func (s *scene) connect(config servers.ConnectorConfig) {
	s.t.Helper()
	config.Name, config.DSN, config.TopicPrefix = s.name, s.configs.PostgresConfig.DSN, s.topic("")
	c, err := s.Connector(s.t.Context(), config)
	require.NoError(s.t, err)
	s.connector = c
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(s.t, c.Delete(ctx))
	})
}

// topic is <name>.cdc, or with a suffix <name>.cdc.<suffix>.
func (s *scene) topic(suffix string) string {
	if suffix == "" {
		return s.name + ".cdc"
	}
	return s.name + ".cdc." + suffix
}

// read waits until there are enough records.
func (s *scene) read(topics []string, enough func([]servers.Record) bool) []servers.Record {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	records, err := s.Records(ctx, topics, enough)
	if err != nil {
		status, _ := s.connector.Status(s.t.Context()) // as far as it can be had
		require.NoError(s.t, err, "%d records; %s", len(records), status)
	}
	return records
}

// await waits until a topic holds so many records.
func (s *scene) await(topic string, records int) {
	s.t.Helper()
	s.read([]string{s.topic(topic)}, func(all []servers.Record) bool { return len(all) >= records })
}

// finish marks the end of the stream twice, the second time when the first mark has arrived, and
// returns all records of the topics, under names that are the same in every run.
func (s *scene) finish(topics ...string) []servers.Record {
	s.t.Helper()
	for _, mark := range []string{"end", "very end"} {
		s.exec("SELECT pg_logical_emit_message(false, '" + mark + "', '')")
		s.read([]string{s.topic("message")}, func(all []servers.Record) bool {
			return bytes.Contains(all[len(all)-1].Value, []byte(`"prefix":"`+mark+`"`))
		})
	}
	total := 0
	for _, topic := range topics {
		total += s.total(topic)
	}
	records := s.read(topics, func(all []servers.Record) bool { return len(all) >= total })
	for i, r := range records {
		records[i] = s.renamed(r)
	}
	return records
}

// total is how many records a topic has taken.
func (s *scene) total(topic string) int {
	s.t.Helper()
	config, err := s.configs.KafkaConfig.Sarama()
	require.NoError(s.t, err)
	client, err := sarama.NewClient(s.configs.KafkaConfig.Brokers, config)
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, client.Close()) }()
	partitions, err := client.Partitions(topic)
	require.NoError(s.t, err, topic)
	total := 0
	for _, partition := range partitions {
		end, err := client.GetOffset(topic, partition, sarama.OffsetNewest)
		require.NoError(s.t, err, topic)
		total += int(end)
	}
	return total
}

func (s *scene) renamed(r servers.Record) servers.Record {
	rename := func(b []byte) []byte {
		b = bytes.ReplaceAll(b, []byte(s.name+"."), nil)
		return bytes.ReplaceAll(b, []byte(s.name), []byte("feedrank_app"))
	}
	r.Topic = string(rename([]byte(r.Topic)))
	r.Key, r.Value = rename(r.Key), rename(r.Value)
	for i, h := range r.Headers {
		r.Headers[i].Value = string(rename([]byte(h.Value)))
	}
	return r
}
