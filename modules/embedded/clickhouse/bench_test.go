//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/chpool"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

const benchRows = 50_000

// benchInput is a batch of events as the consumer writes it: twelve columns.
func benchInput() proto.Input {
	var (
		eventID            proto.ColUUID
		user, post, author proto.ColUInt64
		action             proto.ColEnum8
		at, received       = new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli), new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli)
		dwell              proto.ColUInt32
		device             = new(proto.ColStr).LowCardinality()
		version            proto.ColStr
		partition          proto.ColUInt32
		offset             proto.ColInt64
	)
	now := time.Now()
	for i := range benchRows {
		eventID.Append(uuid.New())
		user.Append(uint64(i * 7919 % 100_000))
		post.Append(uint64(i * 104_729 % 1_000_000))
		author.Append(uint64(i * 31 % 100_000))
		action.Append(proto.Enum8(i%3 + 1))
		at.Append(now)
		received.Append(now)
		dwell.Append(uint32(i % 5000))
		device.Append([]string{"ios", "android", "web"}[i%3])
		version.Append("1.2.3")
		partition.Append(3)
		offset.Append(int64(i))
	}
	return proto.Input{
		{Name: "event_id", Data: &eventID},
		{Name: "user_id", Data: &user},
		{Name: "post_id", Data: &post},
		{Name: "author_id", Data: &author},
		{Name: "action", Data: named{&action, "Enum8('view' = 1, 'like' = 2, 'share' = 3)"}},
		{Name: "occurred_at", Data: at},
		{Name: "received_at", Data: received},
		{Name: "dwell_ms", Data: &dwell},
		{Name: "device", Data: device},
		{Name: "app_version", Data: &version},
		{Name: "kafka_partition", Data: &partition},
		{Name: "kafka_offset", Data: &offset},
	}
}

// BenchmarkInsert is how fast events reach the engine: rows/s is events a second.
func BenchmarkInsert(b *testing.B) {
	for name, compression := range map[string]ch.Compression{"plain": ch.CompressionDisabled, "lz4": ch.CompressionLZ4} {
		b.Run(name, func(b *testing.B) {
			c := dial(b, func(o *ch.Options) { o.Compression = compression })
			do(b, c, "DROP TABLE IF EXISTS bench_events")
			do(b, c, `CREATE TABLE bench_events (event_id UUID, user_id UInt64, post_id UInt64, author_id UInt64,
				action Enum8('view' = 1, 'like' = 2, 'share' = 3), occurred_at DateTime64(3, 'UTC'), received_at DateTime64(3, 'UTC'), dwell_ms UInt32,
				device LowCardinality(String), app_version String, kafka_partition UInt32, kafka_offset Int64) ENGINE = MergeTree ORDER BY (user_id, event_id)`)
			input := benchInput()
			query := ch.Query{Body: input.Into("bench_events"), Input: input}
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, c.Do(context.Background(), query))
			}
			b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkPointRead is what a feed request asks twice: a few rows by primary key, with its settings and parameters.
func BenchmarkPointRead(b *testing.B) {
	setup := dial(b)
	do(b, setup, "DROP TABLE IF EXISTS bench_points")
	do(b, setup, "CREATE TABLE bench_points (a UInt64, b UInt64, s String) ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 256")
	do(b, setup, "INSERT INTO bench_points SELECT number, number * 2, toString(number) FROM numbers(1000000)")
	for _, workers := range []int{1, 4} {
		b.Run(fmt.Sprintf("concurrency-%d", workers), func(b *testing.B) {
			ctx := context.Background()
			pool, err := chpool.Dial(ctx, chpool.Options{ClientOptions: options(), MaxConns: int32(workers)})
			require.NoError(b, err)
			defer pool.Close()
			b.ReportAllocs()
			b.SetParallelism(workers)
			b.RunParallel(func(pb *testing.PB) {
				var v proto.ColUInt64
				var s proto.ColStr
				for pb.Next() {
					err := pool.Do(ctx, ch.Query{
						Body:       "SELECT b, s FROM bench_points WHERE a = {a:UInt64}",
						Parameters: []proto.Parameter{{Key: "a", Value: "'77777'"}},
						Settings:   []ch.Setting{ch.SettingInt("max_threads", 1), ch.SettingInt("max_execution_time", 5)},
						Result:     proto.Results{{Name: "b", Data: &v}, {Name: "s", Data: &s}},
					})
					if err != nil || v.Rows() != 1 {
						b.Errorf("%d rows: %v", v.Rows(), err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "queries/s")
		})
	}
}

// BenchmarkEngineAlone is the same point read without the front: what is left to the engine.
func BenchmarkEngineAlone(b *testing.B) {
	s := ownSession(b)
	require.NoError(b, s.use(testDatabase))
	require.NoError(b, s.run("CREATE OR REPLACE TABLE bench_alone (a UInt64, b UInt64, s String) ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 256"))
	require.NoError(b, s.run("INSERT INTO bench_alone SELECT number, number * 2, toString(number) FROM numbers(1000000)"))
	require.NoError(b, s.apply([]setting{{name: "max_threads", value: "1"}}))
	b.ReportAllocs()
	for b.Loop() {
		rows, err := s.query("SELECT b, s FROM bench_alone WHERE a = {a:UInt64}", []parameter{{"a", "77777"}})
		require.NoError(b, err)
		for !rows.ended {
			chunk, err := rows.next()
			require.NoError(b, err)
			chunk.free()
		}
		rows.close()
	}
}

// BenchmarkLargeRead is how fast a whole table is read, as the hot set does when it starts.
func BenchmarkLargeRead(b *testing.B) {
	const rows = 1_000_000
	for name, compression := range map[string]ch.Compression{"plain": ch.CompressionDisabled, "lz4": ch.CompressionLZ4} {
		b.Run(name, func(b *testing.B) {
			c := dial(b, func(o *ch.Options) { o.Compression = compression })
			var a, v proto.ColUInt64
			var s proto.ColStr
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, c.Do(context.Background(), ch.Query{
					Body:     fmt.Sprintf("SELECT number AS a, number * 2 AS b, toString(number) AS s FROM numbers(%d)", rows),
					Result:   proto.Results{{Name: "a", Data: &a}, {Name: "b", Data: &v}, {Name: "s", Data: &s}},
					OnResult: func(context.Context, proto.Block) error { return nil },
				}))
			}
			b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
