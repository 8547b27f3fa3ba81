//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/wait"
)

// numbers is a column of n numbers from first on.
func numbers(first, n int) *proto.ColUInt64 {
	c := make(proto.ColUInt64, n)
	for i := range c {
		c[i] = uint64(first + i)
	}
	return &c
}

func insertNumbers(t testing.TB, c *ch.Client, table string, first, n int, settings ...ch.Setting) error {
	t.Helper()
	input := proto.Input{{Name: "a", Data: numbers(first, n)}}
	return c.Do(context.Background(), ch.Query{Body: input.Into(table), Input: input, Settings: settings})
}

// table makes an empty table whose parts are never merged.
func table(t testing.TB, c *ch.Client, name, columns string) {
	t.Helper()
	do(t, c, "DROP TABLE IF EXISTS "+name)
	do(t, c, "CREATE TABLE "+name+" ("+columns+") ENGINE = MergeTree ORDER BY a SETTINGS max_bytes_to_merge_at_max_space_in_pool = 1")
}

func parts(t testing.TB, c *ch.Client, name string) string {
	t.Helper()
	return text(t, c, "SELECT toString(arraySort(groupArray(rows))) FROM system.parts WHERE active AND database = currentDatabase() AND table = '"+name+"'")
}

// blocks makes the OnInput that sends count more blocks of size rows after the first.
func blocks(column *proto.ColUInt64, count, size int) func(context.Context) error {
	sent := 1
	return func(context.Context) error {
		if sent >= count {
			column.Reset()
			return io.EOF
		}
		*column = *numbers(sent*size, size)
		sent++
		return nil
	}
}

func TestABlockOfTheClientBecomesOnePart(t *testing.T) {
	c := dial(t)
	table(t, c, "whole", "a UInt64")
	// More rows than the engine's own block size, which must not split it.
	require.NoError(t, insertNumbers(t, c, "whole", 0, 1_500_000))
	require.Equal(t, "[1500000]", parts(t, c, "whole"))
}

func TestManyBlocksAreSquashedOnlyAsTheSettingsSay(t *testing.T) {
	c := dial(t)
	for settings, want := range map[string]string{
		"": "[3000]",
		" SETTINGS min_insert_block_size_rows = 0, min_insert_block_size_bytes = 0": "[1000,1000,1000]",
	} {
		table(t, c, "squashed", "a UInt64")
		column := numbers(0, 1000)
		require.NoError(t, c.Do(context.Background(), ch.Query{
			Body:  "INSERT INTO squashed (a)" + settings + " VALUES",
			Input: proto.Input{{Name: "a", Data: column}}, OnInput: blocks(column, 3, 1000),
		}))
		require.Equal(t, want, parts(t, c, "squashed"))
		require.Equal(t, uint64(2999*3000/2), number(t, c, "SELECT sum(a) FROM squashed"))
	}
}

func TestAnInsertNamesItsColumnsInAnyWay(t *testing.T) {
	c := dial(t)
	table(t, c, "`odd table`", "a UInt64, `b c` UInt64 DEFAULT a + 1, m UInt64 MATERIALIZED a * 2, e UInt64 EPHEMERAL 7, f UInt64 DEFAULT e")
	ctx := context.Background()
	for body, input := range map[string]proto.Input{
		"INSERT INTO `odd table` VALUES":                              {{Name: "a", Data: numbers(1, 1)}, {Name: "b c", Data: numbers(1, 1)}, {Name: "f", Data: numbers(1, 1)}},
		"INSERT INTO TABLE tests.`odd table` (* EXCEPT (f)) VALUES":   {{Name: "a", Data: numbers(2, 1)}, {Name: "b c", Data: numbers(2, 1)}},
		"insert into `tests`.\"odd table\" (`b c`, a) format Native":  {{Name: "b c", Data: numbers(3, 1)}, {Name: "a", Data: numbers(3, 1)}},
		"INSERT INTO `odd table` (a, e) VALUES -- ephemeral":          {{Name: "a", Data: numbers(4, 1)}, {Name: "e", Data: numbers(44, 1)}},
		"INSERT INTO `odd table` (a) SETTINGS max_threads=1 VALUES ;": {{Name: "a", Data: numbers(5, 1)}},
	} {
		require.NoError(t, c.Do(ctx, ch.Query{Body: body, Input: input}), body)
	}
	require.Equal(t, "[(1,1,2,1),(2,2,4,7),(3,3,6,7),(4,5,8,44),(5,6,10,7)]",
		text(t, c, "SELECT toString(groupArray((a, `b c`, m, f))) FROM (SELECT *, m FROM `odd table` ORDER BY a)"))
}

func TestRowsInTheTextAreInsertedToo(t *testing.T) {
	c := dial(t)
	table(t, c, "inline", "a UInt64, s String")
	do(t, c, "INSERT INTO inline VALUES (1, 'one;'), (2, 'two')")
	do(t, c, "INSERT INTO inline (s, a) FORMAT JSONEachRow {\"s\": \"three\", \"a\": 3}")
	do(t, c, "INSERT INTO inline SELECT number, toString(number) FROM numbers(4, 2)")
	do(t, c, "INSERT INTO inline (SELECT 6, 'six')")
	do(t, c, "INSERT INTO inline WITH 7 AS x SELECT x, 'seven';")
	require.Equal(t, "[1,2,3,4,5,6,7]", text(t, c, "SELECT toString(groupArray(a)) FROM (SELECT a FROM inline ORDER BY a)"))
}

func TestARefusedInsertLeavesNothingAndTellsTheEnginesCode(t *testing.T) {
	c := dial(t)
	table(t, c, "checked_rows", "a UInt64, CONSTRAINT small CHECK a < 5000")
	requireCode(t, proto.ErrViolatedConstraint, insertNumbers(t, c, "checked_rows", 4000, 2000))
	require.Equal(t, uint64(0), number(t, c, "SELECT count() FROM checked_rows"))

	// Refused while the client is still sending: it learns at once, and another query can follow on a new connection.
	column := numbers(0, 1000)
	err := c.Do(context.Background(), ch.Query{
		Body:     "INSERT INTO checked_rows VALUES",
		Settings: []ch.Setting{ch.SettingInt("min_insert_block_size_rows", 0), ch.SettingInt("min_insert_block_size_bytes", 0)},
		Input:    proto.Input{{Name: "a", Data: column}}, OnInput: blocks(column, 100, 1000),
	})
	requireCode(t, proto.ErrViolatedConstraint, err)
	require.Equal(t, uint64(0), number(t, dial(t), "SELECT count() FROM checked_rows WHERE a >= 5000"))
}

// The writers of one partition are kept apart on the server: an insert under an older fence is refused there.
func TestTheFenceRefusesAnInsertOfAnEarlierOwner(t *testing.T) {
	c := dial(t)
	do(t, c, "DROP TABLE IF EXISTS fenced")
	do(t, c, "DROP TABLE IF EXISTS fenced_sums_view")
	do(t, c, "DROP TABLE IF EXISTS fenced_sums")
	do(t, c, "DROP TABLE IF EXISTS owners")
	do(t, c, "CREATE TABLE owners (kafka_partition UInt32, fence UInt64) ENGINE = Join(ANY, LEFT, kafka_partition) SETTINGS join_any_take_last_row = 1")
	do(t, c, `CREATE TABLE fenced (a UInt64, kafka_partition UInt32, fence UInt64,
		CONSTRAINT fenced CHECK fence >= joinGet('tests.owners', 'fence', kafka_partition)) ENGINE = MergeTree ORDER BY a`)
	do(t, c, "CREATE TABLE fenced_sums (kafka_partition UInt32, n Int64) ENGINE = SummingMergeTree ORDER BY kafka_partition")
	do(t, c, "CREATE MATERIALIZED VIEW fenced_sums_view TO fenced_sums AS SELECT kafka_partition, toInt64(count()) AS n FROM fenced GROUP BY kafka_partition")
	insert := func(fence int) error {
		kp := make(proto.ColUInt32, 10)
		fences := make(proto.ColUInt64, 10)
		for i := range kp {
			kp[i], fences[i] = 3, uint64(fence)
		}
		input := proto.Input{{Name: "a", Data: numbers(0, 10)}, {Name: "kafka_partition", Data: &kp}, {Name: "fence", Data: &fences}}
		return dial(t).Do(context.Background(), ch.Query{Body: input.Into("fenced"), Input: input})
	}
	own := func(fence int) {
		kp, f := proto.ColUInt32{3}, proto.ColUInt64{uint64(fence)}
		input := proto.Input{{Name: "kafka_partition", Data: &kp}, {Name: "fence", Data: &f}}
		require.NoError(t, c.Do(context.Background(), ch.Query{Body: input.Into("owners"), Input: input}))
	}
	require.NoError(t, insert(1), "no owner yet")
	own(5)
	requireCode(t, proto.ErrViolatedConstraint, insert(4))
	require.NoError(t, insert(5))
	own(6)
	requireCode(t, proto.ErrViolatedConstraint, insert(5))
	require.Equal(t, uint64(6), number(t, c, "SELECT joinGet('tests.owners', 'fence', toUInt32(3))"))
	require.Equal(t, uint64(20), number(t, c, "SELECT count() FROM fenced"))
	require.Equal(t, uint64(20), number(t, c, "SELECT toUInt64(sum(n)) FROM fenced_sums"), "a refused insert reaches no view")
}

func TestAnInsertIsListedAndKilledByItsLogComment(t *testing.T) {
	c, other := dial(t), dial(t)
	table(t, c, "killed", "a UInt64")
	const where = "Settings['log_comment'] = 'zombie'"
	arrived, release := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	column := numbers(0, 1000)
	go func() {
		calls := 0
		ended <- c.Do(context.Background(), ch.Query{
			Body: "INSERT INTO killed VALUES", Settings: []ch.Setting{{Key: "log_comment", Value: "zombie"}},
			Input: proto.Input{{Name: "a", Data: column}},
			OnInput: func(ctx context.Context) error {
				if calls++; calls > 1 {
					return io.EOF
				}
				close(arrived)
				select { // the writer is stopped in the middle of its insert
				case <-release:
				case <-ctx.Done():
				}
				return nil
			},
		})
	}()
	<-arrived
	require.Equal(t, uint64(1), number(t, other, "SELECT count() FROM system.processes WHERE "+where))
	do(t, other, "KILL QUERY WHERE "+where+" ASYNC")
	// It is over for the server although its client sleeps.
	wait.Until(t, func() bool {
		return number(t, other, "SELECT count() FROM system.processes WHERE "+where) == 0
	})
	close(release)
	requireCode(t, proto.ErrQueryWasCancelled, <-ended)
	require.Equal(t, uint64(0), number(t, other, "SELECT count() FROM killed"))
}

func TestAClientThatVanishesInTheMiddleOfAnInsertLeavesNoRows(t *testing.T) {
	for name, vanishAt := range map[string]func(sent, total int) bool{
		"in a block":               func(sent, total int) bool { return sent > total/2 },
		"between block and end":    func(sent, total int) bool { return sent >= total-20 },
		"before the first of them": func(sent, _ int) bool { return sent > 700 },
	} {
		t.Run(name, func(t *testing.T) {
			watcher := dial(t)
			table(t, watcher, "vanished", "a UInt64")
			const rows = 100_000
			nc, err := net.Dial("tcp", shared.addr)
			require.NoError(t, err)
			cut := &cutConn{Conn: nc, total: 8 * rows, vanish: vanishAt}
			c, err := ch.Connect(context.Background(), cut, options())
			require.NoError(t, err)
			cut.armed = true
			require.Error(t, insertNumbers(t, c, "vanished", 0, rows, ch.Setting{Key: "log_comment", Value: "vanished"}))
			wait.Until(t, func() bool {
				return number(t, watcher, "SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'vanished'") == 0
			})
			require.Equal(t, uint64(0), number(t, watcher, "SELECT count() FROM vanished"))
		})
	}
}

// cutConn is a connection that breaks in the middle of what is written to it.
type cutConn struct {
	net.Conn
	armed       bool
	sent, total int
	vanish      func(sent, total int) bool
}

var errCut = errors.New("the connection is cut")

func (c *cutConn) Write(p []byte) (int, error) {
	if !c.armed {
		return c.Conn.Write(p)
	}
	for i := 0; i < len(p); i += 512 {
		if c.vanish(c.sent, c.total) {
			_ = c.Close()
			return i, errCut
		}
		n, err := c.Conn.Write(p[i:min(i+512, len(p))])
		c.sent += n
		if err != nil {
			return i + n, err
		}
	}
	return len(p), nil
}
