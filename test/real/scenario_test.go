//go:build real

package real_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/real/servers"
)

// samples has a column of every type that an app's table is likely to have.
const samples = `
	CREATE TYPE mood AS ENUM ('glad', 'sad');
	CREATE TABLE samples (
		id bigint PRIMARY KEY,
		price numeric(20,4), wide numeric, whole numeric(18,0), small smallint, medium int, ratio real,
		share double precision,
		flag boolean, body text, short varchar(20), token uuid, doc jsonb, json_doc json, tags text[], ids bigint[],
		day date, moment timestamp, moment3 timestamp(3), instant timestamptz, clock time, span interval,
		raw bytea, mood mood
	)`

const sample = `INSERT INTO samples VALUES (
	1, 12.3400, 98765432109876543210.5, -42, -7, 70000, 0.5, 0.1,
	true, E'žluť \\ "quoted" \n\t 🙂 <b>&', 'short', '6f2c1c1e-0b5c-4e4b-9e7e-2f1f3c4d5e6f', '{"a": [1, 2.50, null], "b": "x"}', '{"a" : 1}',
	'{one,"two, three",NULL}', '{1,9007199254740993}',
	'2026-03-01', '2026-03-01 12:34:56.789012', '2026-03-01 12:34:56.789', '2026-03-01 14:34:56.789012+02', '23:59:59.999999', '1 day 2 hours',
	'\x00ff', 'glad')`

// snapshotScene is a snapshot that transactions overlap. The slot is made while first runs, and waits
// for it; second begins meanwhile, and is waited for next; third begins during that wait, so that its
// changes lie before the snapshot in PostgreSQL's log, and after it in ours.
func snapshotScene(t *testing.T) []servers.Record {
	s := newScene(t,
		"INSERT INTO users (id, name, created_at) SELECT i, 'user ' || i, '2026-01-01Z' FROM generate_series(1, 3) i",
		`INSERT INTO posts (id, author_id, body, created_at, updated_at)
			SELECT i, 1, 'before the snapshot', '2026-01-02Z', '2026-01-02Z' FROM generate_series(1, 5) i`)
	ctx := t.Context()
	first, firstID := s.begin()
	_, err := first.Exec(ctx, "UPDATE posts SET body = 'by the first' WHERE id = 1")
	require.NoError(t, err)
	s.connect(servers.ConnectorConfig{Tables: []string{"public.users", "public.posts"}})
	s.awaitWaiter(firstID)
	second, secondID := s.begin()
	_, err = second.Exec(ctx, "UPDATE posts SET body = 'by the second' WHERE id = 2")
	require.NoError(t, err)
	require.NoError(t, first.Commit(ctx))
	s.awaitWaiter(secondID)
	third, _ := s.begin()
	for _, statement := range []string{
		"UPDATE posts SET body = 'by the third' WHERE id = 3",
		"DELETE FROM posts WHERE id = 4",
		"INSERT INTO posts (id, author_id, body, created_at, updated_at) VALUES (6, 2, 'new by the third', '2026-01-02Z', '2026-01-02Z')",
	} {
		_, err = third.Exec(ctx, statement)
		require.NoError(t, err)
	}
	require.NoError(t, second.Commit(ctx))
	s.await("public.posts", 5) // the snapshot is over
	require.NoError(t, third.Commit(ctx))
	s.exec("UPDATE posts SET body = 'after all' WHERE id = 5")
	return s.finish(s.topic("public.users"), s.topic("public.posts"))
}

// tablesOfChanges makes the tables that changesOfRows changes, with a few rows for a snapshot.
func tablesOfChanges() []string {
	return []string{
		samples,
		"CREATE TABLE signals (id text PRIMARY KEY, type text NOT NULL, data text)",
		"CREATE TABLE required (id uuid PRIMARY KEY, token uuid NOT NULL, day date NOT NULL, moment timestamp NOT NULL, flag boolean NOT NULL, doc jsonb NOT NULL, price numeric NOT NULL)",
		"CREATE TABLE whole (id bigint PRIMARY KEY, body text, note text)",
		"ALTER TABLE whole REPLICA IDENTITY FULL",
		"CREATE TABLE keyless (note text)",
		// Values of more than 2 kB are stored apart, as they are.
		"ALTER TABLE posts ALTER body SET STORAGE EXTERNAL",
		"ALTER TABLE whole ALTER body SET STORAGE EXTERNAL",
		"INSERT INTO users (id, name, created_at) SELECT i, 'user ' || i, '2026-01-01Z' FROM generate_series(1, 3) i",
		"INSERT INTO follows VALUES (1, 2, '2026-01-01Z'), (2, 1, '2026-01-01Z')",
		"INSERT INTO whole VALUES (1, 'in the snapshot', NULL)",
	}
}

// changesOfRows is everything that can happen to a row.
func changesOfRows() []string {
	return []string{
		// A row's life: the delete tells its key only, and a tombstone follows.
		"INSERT INTO posts (id, author_id, body, created_at, updated_at) VALUES (1, 1, 'hello', '2026-01-02Z', '2026-01-02Z')",
		"UPDATE posts SET body = 'hello again', updated_at = '2026-01-03Z' WHERE id = 1",
		"DELETE FROM posts WHERE id = 1",
		// A large value that an update does not touch.
		"INSERT INTO posts (id, author_id, body, created_at, updated_at) VALUES (2, 1, repeat('large', 500), '2026-01-02Z', '2026-01-02Z')",
		"UPDATE posts SET status = 'draft' WHERE id = 2",
		"UPDATE posts SET body = repeat('other', 500) WHERE id = 2",
		// A changed primary key, alone and with the other columns.
		"UPDATE posts SET id = 20 WHERE id = 2",
		"UPDATE follows SET followee_id = 3, created_at = '2026-01-04Z' WHERE follower_id = 1",
		"DELETE FROM follows WHERE follower_id = 2",
		// Several rows in one transaction, and several tables.
		"INSERT INTO posts (id, author_id, body, created_at, updated_at) SELECT i, 2, 'one of three', '2026-01-05Z', '2026-01-05Z' FROM generate_series(31, 33) i",
		"BEGIN; INSERT INTO likes VALUES (1, 31, '2026-01-06Z'); INSERT INTO likes VALUES (2, 31, '2026-01-06Z'); UPDATE users SET name = 'liked' WHERE id = 2; COMMIT",
		"BEGIN; INSERT INTO likes VALUES (3, 31, '2026-01-06Z'); ROLLBACK",
		"TRUNCATE likes",
		"INSERT INTO likes VALUES (3, 32, '2026-01-07Z')",
		// The old row is told under REPLICA IDENTITY FULL, and large values always.
		"INSERT INTO whole VALUES (2, repeat('whole', 500), 'a')",
		"UPDATE whole SET note = 'b' WHERE id = 2",
		"DELETE FROM whole WHERE id = 2",
		"TRUNCATE whole, keyless",
		"INSERT INTO keyless VALUES ('a row without a key')",
		// Types: values, nulls, and the ends of their ranges.
		sample,
		"INSERT INTO samples (id) VALUES (2)",
		`INSERT INTO samples (id, price, wide, moment, instant, day, small, medium, share, tags, body) VALUES
			(3, -0.0001, 'NaN', 'infinity', 'infinity', 'infinity', -32768, -2147483648, 'NaN', '{}', ''),
			(4, 9999999999999999, 0, '-infinity', '-infinity', '-infinity', 32767, 2147483647, 'Infinity', NULL, NULL),
			(5, 0, 1e30, '0044-03-15 12:00:00 BC', '0044-03-15 12:00:00+00 BC', '0044-03-15 BC', 0, 0, 0, NULL, NULL),
			(6, 0, 1e-30, '12026-01-01 00:00:00', '12026-01-01 00:00:00+00', '12026-01-01', 0, 0, 1e308, NULL, NULL)`,
		"UPDATE samples SET flag = false WHERE id = 1",
		"DELETE FROM samples WHERE id = 1",
		// What a delete makes up for columns that cannot be null.
		`INSERT INTO required VALUES ('6f2c1c1e-0b5c-4e4b-9e7e-2f1f3c4d5e6f', '6f2c1c1e-0b5c-4e4b-9e7e-2f1f3c4d5e6f', '2026-03-01', '2026-03-01 12:00', true, '{"a": 1}', 1.5)`,
		"DELETE FROM required",
		// A column that appears, and one that goes.
		"ALTER TABLE users ADD COLUMN handle text",
		"UPDATE users SET handle = 'one' WHERE id = 1",
		"ALTER TABLE users DROP COLUMN handle",
		"UPDATE users SET name = 'two' WHERE id = 2",
	}
}

// changesScene is everything that can happen to a row, and all that is sent beside rows.
func changesScene(t *testing.T) []servers.Record {
	s := newScene(t, tablesOfChanges()...)
	s.connect(servers.ConnectorConfig{
		Tables: []string{
			"public.users", "public.posts", "public.follows", "public.likes", "public.samples", "public.required",
			"public.whole", "public.keyless", "public.signals",
		},
		Extra: map[string]string{"signal.data.collection": "public.signals"},
	})
	s.await("public.whole", 1)
	s.await("public.users", 3)
	s.await("public.follows", 2)
	s.exec(changesOfRows()...)
	s.exec(
		"SELECT pg_logical_emit_message(true, 'note', 'in a transaction')",
		"SELECT pg_logical_emit_message(false, 'note', 'in none')",
		// An incremental snapshot.
		`INSERT INTO signals VALUES ('again', 'execute-snapshot', '{"type": "incremental", "data-collections": ["public.users"]}')`,
	)
	s.await("public.users", 3+1+2+3)
	s.await("public.signals", 3)
	var topics []string
	for _, table := range []string{
		"users", "posts", "follows", "likes", "samples", "required", "whole", "keyless",
		"signals",
	} {
		topics = append(topics, s.topic("public."+table))
	}
	records := s.finish(append(topics, s.topic("transaction"), s.topic("message"))...)
	// Heartbeats come by the clock: one tells them all.
	heart := "__debezium-heartbeat." + s.topic("")
	beats := s.read([]string{heart}, func(all []servers.Record) bool { return len(all) > 0 })
	return append(records, s.renamed(beats[0]))
}

// schemasScene is a little of everything with the schema around it.
func schemasScene(t *testing.T) []servers.Record {
	s := newScene(t, samples,
		"CREATE TABLE plain (id bigint PRIMARY KEY, whole numeric(18,0), created_at timestamp NOT NULL)",
		"INSERT INTO plain VALUES (1, 7, '2026-01-01')")
	s.connect(servers.ConnectorConfig{
		Schemas: true, Tables: []string{"public.samples", "public.plain"},
		// Numbers as Connect's own decimals, which only a schema explains.
		Extra: map[string]string{"decimal.handling.mode": "precise"},
	})
	s.await("public.plain", 1)
	s.exec(
		sample,
		"INSERT INTO plain VALUES (2, -8, '2026-01-02 03:04:05.678901')",
		"UPDATE plain SET whole = NULL WHERE id = 2",
		"UPDATE plain SET id = 3 WHERE id = 2",
		"DELETE FROM plain WHERE id = 3",
		"TRUNCATE plain",
		"SELECT pg_logical_emit_message(true, 'note', 'in a transaction')",
	)
	return s.finish(s.topic("public.samples"), s.topic("public.plain"), s.topic("message"))
}
