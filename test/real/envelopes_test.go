//go:build real

package real_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/test/real/servers"
)

// Our source and Debezium read the same log at the same time. What our decoder makes of their records must
// be the same, record by record.
func TestOurSourceSendsWhatDebeziumSends(t *testing.T) {
	s := newScene(t, tablesOfChanges()...)
	names := []string{"users", "posts", "follows", "likes", "samples", "required", "whole"}
	var captured []string
	for _, name := range names {
		captured = append(captured, "public."+name)
	}
	own := func(table string) string { return s.name + ".own." + table }
	var topics []kafka.TopicSpec
	for _, table := range captured {
		topics = append(topics, kafka.TopicSpec{Name: own(table), Partitions: 1})
	}
	_, err := kafka.EnsureTopics(s.configs.KafkaConfig, topics, false)
	require.NoError(t, err)
	s.connect(servers.ConnectorConfig{Tables: captured})
	s.await("public.whole", 1)

	cfg := source.DefaultConfig()
	cfg.Slot, cfg.Publication = s.name+"_own", s.name+"_own"
	tables := make([]source.Table, len(captured))
	for i, name := range captured {
		tables[i] = source.Table{Name: name, Columns: s.columns(name)}
	}
	src := source.New(source.Params{
		Config: cfg, Name: s.name + ".own", Tables: tables, Topic: own, Postgres: s.configs.PostgresConfig,
		Kafka: s.configs.KafkaConfig,
		Clock: core.SystemClock{}, Log: zaptest.NewLogger(t), Registerer: prometheus.NewRegistry(),
		Failure: worker.FailureFunc(func(name string, err error) { t.Errorf("%s failed: %v", name, err) }),
	})
	require.NoError(t, src.Start(t.Context()))
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, src.Stop(ctx))
	}()
	read := func(topic string, enough func([]envelope.Record) bool) []envelope.Record {
		var all []envelope.Record
		s.read([]string{topic}, func(raw []servers.Record) bool {
			all = all[:0]
			for _, r := range raw {
				record, err := envelope.Decode(r.Key, r.Value)
				require.NoError(t, err)
				if record.Op == envelope.Truncate && record.Source.Snapshot != envelope.Streaming {
					continue // ours ends a snapshot with one: see modules/cdc/source/doc.go
				}
				all = append(all, record)
			}
			return enough(all)
		})
		return all
	}
	snapshots := map[string]int{"users": 3, "follows": 2, "whole": 1}
	for name, rows := range snapshots {
		read(own("public."+name), func(all []envelope.Record) bool { return len(all) >= rows })
	}
	// The last table's snapshot is over, and with it all: the log begins.
	require.True(t, eventually(patience, 10*time.Millisecond, func() bool { return s.total(own("public.whole")) >= 2 }))
	s.exec(changesOfRows()...)
	s.exec("INSERT INTO users (id, name) VALUES (999, 'the end')")
	ended := func(all []envelope.Record) bool {
		last := all[len(all)-1]
		id, err := last.Key.Int("id")
		return err == nil && id == 999
	}
	read(own("public.users"), ended)
	read(s.topic("public.users"), ended)
	for _, table := range captured {
		theirs := read(s.topic(table), func(all []envelope.Record) bool { return len(all) >= s.total(s.topic(table)) })
		ours := read(own(table), func(all []envelope.Record) bool { return len(all) >= len(theirs) })
		require.Len(t, ours, len(theirs), table)
		for i := range theirs {
			require.Equal(t, spelled(t, theirs[i]), spelled(t, ours[i]), "%s, record %d", table, i)
		}
	}
}

// spelled is all that our consumer reads of a record, as text.
func spelled(t *testing.T, r envelope.Record) string {
	t.Helper()
	type place struct {
		LSN       uint64
		TxID      int64
		Committed string
	}
	out := map[string]any{
		"key": columns(t, r.Key), "tombstone": r.Tombstone, "op": r.Op.String(), "after": columns(t, r.After),
		"table": r.Source.Schema + "." + r.Source.Table, "snapshot": r.Source.Snapshot,
	}
	if r.Source.Snapshot == envelope.Streaming { // two snapshots have two moments
		out["place"] = place{LSN: r.Source.LSN, TxID: r.Source.TxID, Committed: r.Source.CommittedAt.String()}
	}
	text, err := json.MarshalIndent(out, "", " ")
	require.NoError(t, err)
	return string(text)
}

func columns(t *testing.T, r envelope.Row) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, c := range r.Columns() {
		text, err := r.Text(c)
		require.NoError(t, err)
		switch c {
		case "span": // nothing is made of intervals: ours are ISO 8601, Debezium's microseconds
			continue
		case "handle": // it came later: ours sends the columns that it was told alone
			continue
		case "day", "moment", "instant": // ours are at the end of our range where Debezium's are beyond it
			unit := map[string]envelope.Unit{"day": envelope.Days}[c]
			at, err := r.Time(c, unit)
			require.NoError(t, err)
			text = at.String()
		case "share", "wide": // numbers and not-a-number are spelled in several ways
			if n, err := strconv.ParseFloat(text, 64); err == nil && c == "share" || strings.EqualFold(text, "nan") {
				text = fmt.Sprint(n)
			}
		}
		all[c] = fmt.Sprint(r.IsNull(c), r.IsUnavailable(c), " ", text)
	}
	return all
}
