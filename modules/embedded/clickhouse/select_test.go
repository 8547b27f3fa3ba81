//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"context"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/wait"
)

func TestALargeResultArrivesInManyBlocksWithItsProgressAndProfile(t *testing.T) {
	for name, compression := range compressions() {
		t.Run(name, func(t *testing.T) {
			c := dial(t, func(o *ch.Options) { o.Compression = compression })
			const rows = 1_000_000
			var n proto.ColUInt64
			var blocks, sum, got, read uint64
			var profile proto.Profile
			require.NoError(t, c.Do(context.Background(), ch.Query{
				Body:   "SELECT number FROM numbers(1000000)",
				Result: proto.Results{{Name: "number", Data: &n}},
				OnResult: func(_ context.Context, b proto.Block) error {
					if b.Rows > 0 {
						blocks++
					}
					got += uint64(b.Rows)
					for _, v := range n {
						sum += v
					}
					return nil
				},
				OnProgress: func(_ context.Context, p proto.Progress) error {
					read += p.Rows
					return nil
				},
				OnProfile: func(_ context.Context, p proto.Profile) error {
					profile = p
					return nil
				},
			}))
			require.Equal(t, uint64(rows), got)
			require.Equal(t, uint64(rows*(rows-1)/2), sum)
			require.Greater(t, blocks, uint64(5))
			require.Positive(t, read)
			require.LessOrEqual(t, read, uint64(rows))
			require.Equal(t, uint64(rows), profile.Rows)
			require.Equal(t, blocks, profile.Blocks)
			require.Greater(t, profile.Bytes, uint64(8*rows))
		})
	}
}

func TestProgressTellsTheRowsAndBytesReadAndWritten(t *testing.T) {
	c := dial(t)
	do(t, c, "DROP TABLE IF EXISTS progressed")
	do(t, c, "CREATE TABLE progressed (a UInt64) ENGINE = MergeTree ORDER BY a")
	progress := func(q ch.Query) (sum proto.Progress) {
		q.OnProgress = func(_ context.Context, p proto.Progress) error {
			sum.Rows, sum.Bytes = sum.Rows+p.Rows, sum.Bytes+p.Bytes
			sum.WroteRows, sum.WroteBytes = sum.WroteRows+p.WroteRows, sum.WroteBytes+p.WroteBytes
			return nil
		}
		require.NoError(t, c.Do(context.Background(), q), q.Body)
		return sum
	}
	var a proto.ColUInt64
	for i := range 1000 {
		a.Append(uint64(i))
	}
	input := proto.Input{{Name: "a", Data: &a}}
	require.Equal(t, proto.Progress{WroteRows: 1000, WroteBytes: 8000}, progress(ch.Query{Body: input.Into("progressed"), Input: input}))
	require.Equal(t, proto.Progress{Rows: 1000, Bytes: 8000, WroteRows: 1000, WroteBytes: 8000},
		progress(ch.Query{Body: "INSERT INTO progressed SELECT a FROM progressed"}))
	var sum proto.ColUInt64
	require.Equal(t, proto.Progress{Rows: 2000, Bytes: 16000},
		progress(ch.Query{Body: "SELECT sum(a) FROM progressed", Result: proto.Results{{Data: &sum}}}))
}

func TestAResultWithoutRowsStillTellsItsColumns(t *testing.T) {
	c := dial(t)
	for _, body := range []string{
		"SELECT 1 AS n, 'x' AS s, toDateTime(0, 'UTC') AS d WHERE 0",
		"SELECT 1 AS n, 'x' AS s, toDateTime(0, 'UTC') AS d WHERE 0 FORMAT Pretty",
		"WITH 5 AS x SELECT x AS n, 'x' AS s, toDateTime(0, 'UTC') AS d WHERE 0 -- no rows",
	} {
		var r proto.Results
		require.NoError(t, c.Do(context.Background(), ch.Query{Body: body, Result: r.Auto()}))
		require.Len(t, r, 3, body)
		require.Equal(t, "DateTime('UTC')", string(r[2].Data.Type()))
	}
}

func TestEveryKindOfStatementThatHasRowsReturnsThem(t *testing.T) {
	c := dial(t)
	for body, rows := range map[string]int{
		"SELECT 1": 1, "(SELECT 1) UNION ALL (SELECT 2)": 2, "WITH 1 AS x SELECT x": 1, "/* hint */ SELECT 1 -- end": 1,
		"SELECT 1;": 1, "SELECT 1 AS format": 1, "SELECT 'a;b' ; ;": 1, "FROM numbers(3) SELECT number": 3,
		"SELECT name AS format FROM system.one AS s, (SELECT 'x' AS name) AS t ORDER BY format DESC": 1,
		"SELECT 1 FORMAT JSONEachRow": 1, "SELECT 1 FORMAT Null SETTINGS max_threads = 1": 1, "SHOW DATABASES LIKE 'system'": 1,
		"EXISTS system.one": 1, "DESCRIBE system.one": 1, "SHOW CREATE TABLE checked": 1, "SELECT $$; it's$$": 1,
		"CHECK TABLE checked": 1, "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 ORDER BY 1 SETTINGS max_block_size = 1": 3,
		"exit": -1, "": -1, "-- nothing": -1, "SELECT 1; SELECT 2": -1, "SELECT 1 INTO OUTFILE '/tmp/never'": -1,
	} {
		do(t, c, "CREATE TABLE IF NOT EXISTS checked (a UInt8) ENGINE = MergeTree ORDER BY a")
		do(t, c, "INSERT INTO checked SELECT 1 WHERE (SELECT count() FROM checked) = 0")
		got := 0
		var r proto.Results
		err := c.Do(context.Background(), ch.Query{Body: body, Result: r.Auto(), OnResult: func(_ context.Context, b proto.Block) error {
			got += b.Rows
			return nil
		}})
		if rows < 0 {
			require.True(t, ch.IsException(err), "%q: %v", body, err)
			continue
		}
		require.NoError(t, err, body)
		require.Equal(t, rows, got, body)
	}
}

func TestErrorsCarryTheEnginesOwnCodes(t *testing.T) {
	c := dial(t)
	do(t, c, "CREATE TABLE IF NOT EXISTS coded (a UInt8) ENGINE = Memory")
	for body, code := range map[string]proto.Error{
		"SELECT nope":             proto.ErrUnknownIdentifier,
		"SELECT * FROM nope":      proto.ErrUnknownTable,
		"SELECT * FROM nope.nope": proto.ErrUnknownDatabase,
		"SELEC 1":                 proto.ErrSyntaxError,
		"SELECT throwIf(1)":       proto.ErrFunctionThrowIfValueIsNonZero,
		"CREATE TABLE coded (a UInt8) ENGINE=Memory": proto.ErrTableAlreadyExists,
		"INSERT INTO coded (b) VALUES":               proto.ErrNoSuchColumnInTable,
		"INSERT INTO nope (b) VALUES":                proto.ErrUnknownTable,
		"INSERT INTO coded VALUES ('x')":             proto.ErrCannotParseText,
		"SELECT 1 SETTINGS max_threads = 'x'":        proto.ErrCannotParseInputAssertionFailed,
		"SELECT sum(number) FROM numbers(1e9) SETTINGS max_execution_time = 0.05, timeout_overflow_mode = 'throw'": proto.ErrTimeoutExceeded,
		"SELECT throwIf(number = 900000) FROM numbers(1000000)":                                                    proto.ErrFunctionThrowIfValueIsNonZero,
		"KILL QUERY WHERE 1 SYNC": proto.ErrNotImplemented,
	} {
		var r proto.Results
		err := c.Do(context.Background(), ch.Query{Body: body, Result: r.Auto(), OnResult: func(context.Context, proto.Block) error { return nil }})
		requireCode(t, code, err, body)
		e, _ := ch.AsException(err)
		require.Equal(t, "DB::Exception", e.Name)
		require.NotContains(t, e.Message, "Code: ")
		require.NotContains(t, e.Message, "(version ")
		require.NotContains(t, e.Message, tagWord)
	}
	require.Equal(t, uint64(0), number(t, c, "SELECT count() FROM system.processes WHERE query NOT LIKE '%system.processes%'"),
		"a failed query is not listed as running")
}

func TestAQueryThatIsCancelledStopsRunning(t *testing.T) {
	// ch-go looks at its context only between reads.
	c, watcher := dial(t, func(o *ch.Options) { o.ReadTimeout = 50 * time.Millisecond }), dial(t)
	const listed = "SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'to be cancelled'"
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- c.Do(ctx, ch.Query{
			Body:     "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)",
			Settings: []ch.Setting{{Key: "log_comment", Value: "to be cancelled"}},
		})
	}()
	wait.Until(t, func() bool { return number(t, watcher, listed) == 1 })
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	wait.Until(t, func() bool { return number(t, watcher, listed) == 0 })
}

func TestAClientThatVanishesEndsItsQuery(t *testing.T) {
	c, watcher := dial(t), dial(t)
	const listed = "SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'abandoned'"
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Do(context.Background(), ch.Query{
			Body:     "SELECT number FROM numbers(1000000000000) WHERE cityHash64(number) = 1",
			Settings: []ch.Setting{{Key: "log_comment", Value: "abandoned"}},
		})
	}()
	wait.Until(t, func() bool { return number(t, watcher, listed) == 1 })
	require.NoError(t, c.Close())
	<-ended
	wait.Until(t, func() bool { return number(t, watcher, listed) == 0 })
}

func TestAQueryIsFoundAndKilledByWhatItsClientGaveIt(t *testing.T) {
	for name, where := range map[string]string{
		"log comment": "Settings['log_comment'] = 'doomed'",
		"query id":    "query_id = 'doomed:1'",
		"text":        "query = 'SELECT sum(cityHash64(number)) FROM numbers(1000000000000)'",
	} {
		t.Run(name, func(t *testing.T) {
			c, killer := dial(t), dial(t)
			ended := make(chan error, 1)
			go func() {
				ended <- c.Do(context.Background(), ch.Query{
					Body:     "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)",
					QueryID:  "doomed:1",
					Settings: []ch.Setting{{Key: "log_comment", Value: "doomed"}},
				})
			}()
			wait.Until(t, func() bool {
				return number(t, killer, "SELECT count() FROM system.processes WHERE "+where) == 1
			})
			require.Equal(t, "doomed:1", text(t, killer, "SELECT p.query_id FROM (SELECT 1 AS x) AS y, system.processes AS p WHERE "+where))
			var r proto.Results
			require.NoError(t, killer.Do(context.Background(), ch.Query{Body: "KILL QUERY WHERE " + where + " ASYNC", Result: r.Auto()}))
			require.Equal(t, 1, r.Rows())
			requireCode(t, proto.ErrQueryWasCancelled, <-ended)
			require.Equal(t, uint64(1), number(t, c, "SELECT toUInt64(1)"), "the connection goes on")
		})
	}
}
