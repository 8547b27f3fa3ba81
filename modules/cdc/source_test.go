package cdc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/wait"
)

func TestTheSourceTurnsToAnotherAddress(t *testing.T) {
	c := newChain(t)
	c.exec(world(10))
	c.makeTopics()
	before, after, _ := strings.Cut(c.PostgresConfig.DSN, "@")
	c.PostgresConfig.DSN = before + "@127.0.0.1:1," + after // nobody is at the first
	c.startSource()
	c.startConsumer()
	c.requireEqual()
	c.exec(`UPDATE users SET name = 'through the second', created_at = created_at - interval '1 minute'`)
	c.requireEqual()
}

func TestAnIdleDatabaseKeepsNoLogForUsAndAnythingKeptIsTold(t *testing.T) {
	c := newChain(t)
	c.exec(world(10), `CREATE TABLE unmapped (i int)`)
	c.makeTopics()
	c.cfg.Source.HeartbeatInterval, c.cfg.Source.StatusInterval = 100*time.Millisecond, 50*time.Millisecond
	c.cfg.Source.WALWarnBytes = 1
	sink, logs := observer.New(zap.WarnLevel)
	c.sources = prometheus.NewRegistry()
	s, err := cdc.NewSource(c.cfg, c.KafkaConfig, source.Params{
		Postgres: c.PostgresConfig, Clock: core.SystemClock{}, Log: zap.New(sink), Registerer: c.sources,
		Failure: c.failure(),
	})
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	defer c.stop(s.Stop)
	c.startConsumer()
	c.requireEqual()
	wait.Until(t, func() bool { return logs.FilterMessageSnippet("keeps much write-ahead log").Len() > 0 })

	c.exec(`INSERT INTO unmapped SELECT generate_series(1, 50000)`) // log of which nothing is ours
	var written string
	require.NoError(t, c.Postgres.QueryRow(t.Context(), `SELECT pg_current_wal_lsn()::text`).Scan(&written))
	wait.Until(t, func() bool {
		var confirmed bool
		err := c.Postgres.QueryRow(t.Context(),
			`SELECT confirmed_flush_lsn >= $2::pg_lsn FROM pg_replication_slots WHERE slot_name = $1`,
			c.cfg.Source.Slot, written).Scan(&confirmed)
		return err == nil && confirmed
	})
	families, err := c.sources.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, f := range families {
		values[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
	}
	require.Positive(t, values["feedrank_cdc_source_slot_lag_bytes"])
	require.Positive(t, values["feedrank_cdc_source_heartbeat_timestamp_seconds"])
	require.EqualValues(t, 1, values["feedrank_cdc_source_leader"])
}

func TestWhatTheServerSaysBesideTheLogStopsNothing(t *testing.T) {
	c := newChain(t)
	c.exec(world(10), `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET client_min_messages = debug1', current_database()); END $$`)
	c.start()
	c.exec(`UPDATE users SET name = 'beside the chatter'`, `TRUNCATE mutes`)
	c.requireEqual()
}
