package consumer

import (
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
)

type at time.Time

func (c at) Now() time.Time { return time.Time(c) }

// decoderOf reads the records of one table of a mapping.
func decoderOf(t *testing.T, c mapping.Config, table string) *decoder {
	t.Helper()
	m, err := mapping.New(c, "cdc")
	require.NoError(t, err)
	metrics := newMetrics(prometheus.NewRegistry(), at(noon))
	return &decoder{
		table: table, sources: m.Sources(table), epochs: replica.Epochs{{Number: 1, TopicID: "a", Starts: []int64{0}}},
		metrics: metrics, rejects: newRejects(metrics.fails, zap.NewNop()), now: at(noon).Now,
	}
}

// reads has a decoder read records, and tells after which a batch is full.
func (d *decoder) reads(t *testing.T, b *batch, records ...[2]string) (full []bool) {
	t.Helper()
	for _, r := range records {
		is, err := d.add(b, &sarama.ConsumerMessage{
			Topic: "cdc." + d.table, Offset: int64(b.records),
			Key: []byte(r[0]), Value: []byte(r[1]),
		})
		require.NoError(t, err)
		full = append(full, is)
	}
	return full
}

const (
	aFollow  = `{"op":"c","after":{"follower_id":1,"followee_id":2,"created_at":"2026-01-01T00:00:00Z"},"source":{"schema":"public","table":"follows"}}`
	aKey     = `{"follower_id":1,"followee_id":2}`
	itsEnd   = `{"op":"d","source":{"schema":"public","table":"follows"}}`
	aMessage = `{"op":"m","source":{"schema":"public","table":"follows"}}`
	ofAll    = `{"op":"t","source":{"schema":"public","table":"follows","lsn":7,"ts_ms":1793527200000}}`
)

func TestATombstoneWritesNothing(t *testing.T) {
	d, b := decoderOf(t, mapping.Default(), "public.follows"), &batch{}
	require.Equal(t, []bool{false, false, false, false, false}, d.reads(t, b,
		[2]string{aKey, aFollow}, [2]string{aKey, itsEnd}, [2]string{aKey, ""},
		[2]string{aKey, `{"schema":null,"payload":null}`}, [2]string{"", aMessage}))
	require.Len(t, b.entries, 2, "the row, and its end")
	require.Empty(t, b.deadLetters)
	require.False(t, b.entries[0].delete)
	require.True(t, b.entries[1].delete)
	require.InDelta(t, 2, testutil.ToFloat64(d.metrics.tombstones.WithLabelValues(d.table)), 0)
}

func TestATruncateCutsTheBatch(t *testing.T) {
	d, b := decoderOf(t, mapping.Default(), "public.follows"), &batch{}
	require.Equal(t, []bool{false, true}, d.reads(t, b, [2]string{aKey, aFollow}, [2]string{"", ofAll}),
		"what comes after it must not die of it")
	require.Len(t, b.entries, 1)
	require.Equal(t, envelope.SourcePosition{LSN: 7, CommittedAt: time.UnixMilli(1793527200000).UTC()}, *b.truncate)
}

func TestKindsThatShareATableShareTheFateOfARecord(t *testing.T) {
	c := mapping.Default()
	of := func(kind, first, other string) mapping.Table {
		return mapping.Table{
			Table: "app.relations", Columns: map[string]string{
				first: "from_id", other: "to_id",
				"created_at": kind + "_at",
			},
			OnlyWhen: []mapping.Condition{{Column: "type", In: []string{kind, "both"}}},
		}
	}
	c.Follow, c.Mute = of("follow", "follower_id", "followee_id"), of("mute", "muter_id", "muted_id")
	d, b := decoderOf(t, c, "app.relations"), &batch{}
	value := func(muted string) string {
		return `{"op":"c","after":{"from_id":1,"to_id":2,"type":"both","follow_at":"2026-01-01T00:00:00Z","mute_at":` +
			muted +
			`},"source":{"schema":"app","table":"relations"}}`
	}
	d.reads(t, b, [2]string{`{"id":5}`, value(`"2026-01-01T00:00:00Z"`)}, [2]string{`{"id":6}`, value(`"never"`)})
	require.Len(t, b.entries, 2, "both kinds of the first, none of the second")
	require.Len(t, b.deadLetters, 1)
	for _, e := range b.entries {
		require.Equal(t, "5", e.row.Key)
	}
}
