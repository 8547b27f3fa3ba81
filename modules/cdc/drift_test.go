package cdc_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/test/wait"
)

// gauge adds the series of a metric of one table.
func gauge(t testing.TB, reg *prometheus.Registry, name, table string) float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	total := 0.0
	for _, f := range families {
		if f.GetName() != "feedrank_cdc_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "table" && l.GetValue() == table {
					total += m.GetGauge().GetValue() + m.GetCounter().GetValue()
				}
			}
		}
	}
	return total
}

func TestADroppedOrRetypedColumnIsToldAndNothingStops(t *testing.T) {
	c := newChain(t)
	c.exec(world(20))
	c.start()
	c.requireEqual()
	require.Zero(t, gauge(t, c.reg, "schema_mismatches", "public.users"))
	c.exec(
		`ALTER TABLE users ADD COLUMN handle text`, // of no concern until it is mapped
		`INSERT INTO users (id, name, handle) VALUES (500, 'with a handle', 'h')`,
	)
	c.requireEqual()
	c.exec(
		`ALTER TABLE users RENAME COLUMN created_at TO made_at`,
		`INSERT INTO users (id, name) VALUES (501, 'cannot be read')`,
		`INSERT INTO posts (id, author_id, body) VALUES (900, 501, 'goes on')`,
		`DELETE FROM users WHERE id = 20 AND NOT EXISTS (SELECT FROM posts WHERE author_id = 20)`,
	)
	wait.Until(t, func() bool { return len(c.letters.list()) >= 1 })
	require.Equal(t, "column_missing", c.letters.list()[0].Reason)
	require.Contains(t, c.letters.list()[0].Detail, "cdc.tables", "it says what to do")
	c.stopConsumer()
	c.startConsumer() // it looks when it starts, and each minute
	wait.Until(t, func() bool { return gauge(t, c.reg, "schema_mismatches", "public.users") == 1 })
	c.exec(`ALTER TABLE users RENAME COLUMN made_at TO created_at`)
	c.stopConsumer()
	c.startConsumer()
	compare(t, c.resync(), resyncAll())
	c.requireEqual()
	require.Zero(t, gauge(t, c.reg, "schema_mismatches", "public.users"))
}

func TestAConditionOnALargeValueThatWasNotLoggedIsReadFromTheTable(t *testing.T) {
	c := newChain(t)
	c.cfg.Tables.Post.HiddenWhen = append(c.cfg.Tables.Post.HiddenWhen,
		mapping.Condition{Column: "note", In: []string{"secret"}})
	c.exec(`ALTER TABLE posts ADD COLUMN note text`, `ALTER TABLE posts ALTER note SET STORAGE EXTERNAL`, world(5))
	c.start()
	c.requireEqual() // the snapshot is over
	c.exec(
		`INSERT INTO posts (id, author_id, note) VALUES (100, 1, repeat('large', 1000)), (101, 1, 'small')`,
		`UPDATE posts SET created_at = '2026-01-01Z' WHERE id >= 100`,
		`INSERT INTO posts (id, author_id, note) VALUES (102, 1, 'a neighbour')`,
	)
	c.requireEqual()
	require.Empty(t, c.letters.list())
	require.NotZero(t, gauge(t, c.reg, "asked_rows_total", "public.posts"))
}
