package cdc_test

import (
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/wait"
)

// TestATruncateThatEndedBetweenACopyAndItsViewsIsFinished has a view of somebody else fail: then the copy's
// rows are dead, and those that are counted by hour and by user are not. A server that is killed in an insert
// leaves the same.
func TestATruncateThatEndedBetweenACopyAndItsViewsIsFinished(t *testing.T) {
	for _, table := range []string{"likes", "comments"} {
		t.Run(table, func(t *testing.T) {
			c := newChain(t)
			c.exec(world(40))
			c.start()
			c.requireEqual()
			c.clickhouse("CREATE TABLE refused (n UInt8) ENGINE = Null")
			c.clickhouse("CREATE MATERIALIZED VIEW a_refusing TO refused AS SELECT throwIf(is_deleted, 'no') AS n FROM " + table)
			c.exec("TRUNCATE " + table)
			wait.Until(t, func() bool { return c.metric("feedrank_cdc_apply_retries_total") > 0 })
			c.clickhouse("DROP TABLE a_refusing")
			c.requireEqual()
		})
	}
}

// TestARowThatMovedTwiceInAnInsertThatEndedIsGoneFromBothPlaces has the second of two moves of a transaction
// refused after the copy was written.
func TestARowThatMovedTwiceInAnInsertThatEndedIsGoneFromBothPlaces(t *testing.T) {
	c := newChain(t)
	c.exec(world(40))
	c.start()
	c.requireEqual()
	c.clickhouse("CREATE TABLE refused (n UInt8) ENGINE = Null")
	c.clickhouse("CREATE MATERIALIZED VIEW a_refusing TO refused AS SELECT throwIf(is_deleted AND author_id = 7, 'no') AS n FROM comments")
	c.exec(`BEGIN; UPDATE comments SET author_id = 7; UPDATE comments SET created_at = now() - interval '5 hours'; COMMIT`)
	wait.Until(t, func() bool { return c.metric("feedrank_cdc_apply_retries_total") > 0 })
	c.clickhouse("DROP TABLE a_refusing")
	c.requireEqual()
}

// clickhouse runs a statement there.
func (c *chain) clickhouse(statement string) {
	c.t.Helper()
	require.NoError(c.t, c.ClickHouse.Write(c.t.Context(),
		clickhouse.Query{Name: "test", Query: ch.Query{Body: statement}}))
}
