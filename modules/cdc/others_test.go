package cdc_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/test/wait"
)

// partitioned makes follows a table of two partitions.
const partitioned = `ALTER TABLE follows RENAME TO follows_old;
	CREATE TABLE public.follows (follower_id bigint, followee_id bigint, created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (follower_id, followee_id)) PARTITION BY HASH (follower_id);
	CREATE TABLE public.follows_0 PARTITION OF public.follows FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE public.follows_1 PARTITION OF public.follows FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	INSERT INTO follows SELECT * FROM follows_old;
	DROP TABLE follows_old`

func TestWhatAPublicationOfOthersLacksIsSaidAndReadOnceItIsMended(t *testing.T) {
	const seven = `users, posts, follows, comments, likes, blocks, mutes`
	for name, one := range map[string]struct{ create, says, mend string }{
		"leaf partitions": {
			`CREATE PUBLICATION %s FOR TABLE ` + seven, "publish_via_partition_root = true",
			`ALTER PUBLICATION %s SET (publish_via_partition_root = true)`,
		},
		"a schema": {
			`CREATE PUBLICATION %s FOR TABLES IN SCHEMA public`, "publish_via_partition_root = true",
			`ALTER PUBLICATION %s SET (publish_via_partition_root = true)`,
		},
		"no deletes": {
			`CREATE PUBLICATION %s FOR ALL TABLES WITH (publish = 'insert, update', publish_via_partition_root = true)`,
			"leaves out delete and truncate",
			`ALTER PUBLICATION %s SET (publish = 'insert, update, delete, truncate')`,
		},
		"not all rows": {
			`CREATE PUBLICATION %s FOR TABLE follows WHERE (follower_id > 3), users, posts, comments, likes, blocks, mutes WITH (publish_via_partition_root = true)`, "leaves out rows",
			`ALTER PUBLICATION %s SET TABLE ` + seven,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChain(t)
			publication := pgx.Identifier{c.cfg.Source.Publication}.Sanitize()
			c.exec(world(20), partitioned, fmt.Sprintf(one.create, publication))
			err := schema.CheckSource(t.Context(), c.Postgres, c.cfg.Source, c.cfg.Tables)
			require.ErrorContains(t, err, one.says)
			c.start()
			if name == "no deletes" { // of no table all changes come
				c.says("no table can be read", one.says)
			} else {
				c.says("table public.follows", one.says)
			}
			c.exec(`DELETE FROM follows WHERE follower_id = 2`, fmt.Sprintf(one.mend, publication))
			c.requireEqual()
			c.isWell()
			require.NoError(t, schema.CheckSource(t.Context(), c.Postgres, c.cfg.Source, c.cfg.Tables))
			c.exec(`DELETE FROM follows WHERE follower_id = 5`)
			c.requireEqual()

			if name == "no deletes" { // it begins to lack something while it is read
				c.exec(fmt.Sprintf(`ALTER PUBLICATION %s SET (publish = 'insert, update')`, publication))
				c.says("table public.follows", one.says)
				c.exec(`DELETE FROM follows WHERE follower_id = 6`, fmt.Sprintf(one.mend, publication))
				c.requireEqual()
				c.isWell()
			}
		})
	}
}

func TestAPublicationThatWasDroppedIsALostSlot(t *testing.T) {
	c := newChain(t)
	c.cfg.Source.OnLostSlot = "resync"
	c.exec(world(20))
	c.start()
	c.requireEqual()
	publication := pgx.Identifier{c.cfg.Source.Publication}.Sanitize()
	c.exec(`DROP PUBLICATION `+publication, `DELETE FROM posts WHERE id % 2 = 0`,
		`INSERT INTO users (id, name) VALUES (900, 'unpublished')`)
	c.requireEqual()
	c.isWell()
	// Made anew before anybody looked, it is another one all the same.
	c.exec(`BEGIN; DROP PUBLICATION `+publication+`; CREATE PUBLICATION `+publication+` FOR ALL TABLES; COMMIT`,
		`DELETE FROM posts WHERE id % 3 = 0`)
	wait.Until(t, func() bool { return total(t, c.sources, "feedrank_cdc_source_lost_slots_total") == 2 })
	c.requireEqual()
	c.isWell()
}

func TestATruncatedPartitionIsCompared(t *testing.T) {
	c := newChain(t)
	c.exec(world(20), partitioned,
		`INSERT INTO feedrank.jobs (name, every, timeout, lead) VALUES ('resync', '1 day', '1 hour', 1)`)
	c.start()
	c.requireEqual()
	asked := func() bool {
		var asked bool
		require.NoError(t, c.Postgres.QueryRow(t.Context(),
			`SELECT requested_at IS NOT NULL FROM feedrank.jobs WHERE name = 'resync'`).Scan(&asked))
		return asked
	}
	noted := func() {
		wait.Until(t, func() bool {
			var same bool
			err := c.Postgres.QueryRow(t.Context(), `SELECT partitions = (SELECT string_agg(relid::oid::text || ':' || pg_relation_filenode(relid), ',' ORDER BY relid::oid)
				FROM pg_partition_tree('public.follows') WHERE isleaf) FROM feedrank.cdc_snapshots WHERE table_name = 'public.follows'`).Scan(&same)
			return err == nil && same
		})
	}
	noted()
	require.False(t, asked(), "nothing was lost so far")
	c.exec(`ALTER TABLE follows DETACH PARTITION follows_0`)
	noted()
	require.True(t, asked())
	c.exec(`UPDATE feedrank.jobs SET requested_at = NULL`, `TRUNCATE follows_1`)
	noted()
	require.True(t, asked())
	compare(t, c.resync(), resyncAll())
	c.requireEqual()
}

// as is our own database for another role, which may do what an app's owner grants.
func (c *chain) as(role string) {
	c.t.Helper()
	name := c.cfg.Source.Slot + role
	c.exec(`CREATE ROLE `+name+` LOGIN REPLICATION PASSWORD 'a word'`,
		`GRANT SELECT ON ALL TABLES IN SCHEMA public TO `+name, `GRANT USAGE ON SCHEMA public, feedrank TO `+name,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA feedrank TO `+name)
	// its database goes as well
	c.t.Cleanup(func() { _, _ = c.Postgres.Exec(c.t.Context(), `DROP OWNED BY `+name+`; DROP ROLE `+name) })
	u, err := url.Parse(c.PostgresConfig.DSN)
	require.NoError(c.t, err)
	u.User = url.UserPassword(name, "a word")
	c.PostgresConfig.DSN = u.String()
}

func TestATableWhoseRowsAreHiddenIsNeitherReadNorCompared(t *testing.T) {
	c := newChain(t)
	c.exec(world(20), `CREATE PUBLICATION `+pgx.Identifier{c.cfg.Source.Publication}.Sanitize()+` FOR ALL TABLES WITH (publish_via_partition_root = true)`,
		`ALTER TABLE posts ENABLE ROW LEVEL SECURITY`)
	c.as("app")
	c.start()
	c.says("table public.posts has row level security", "BYPASSRLS")
	owner := c.Postgres
	pool := newPool(t, c.PostgresConfig)
	require.ErrorContains(t, schema.CheckSource(t.Context(), pool, c.cfg.Source, c.cfg.Tables),
		"table public.posts has row level security")
	c.Postgres = pool
	_, err := c.resync().Run(t.Context(), resyncAll())
	require.ErrorContains(t, err, "row-level security")
	c.Postgres = owner
	c.exec(`ALTER ROLE ` + c.cfg.Source.Slot + `app BYPASSRLS`)
	c.requireEqual()
	c.isWell()
}

func TestMakingTheSlotSaysWhomItWaitsFor(t *testing.T) {
	c := newChain(t)
	c.exec(world(10))
	conn, err := pgx.Connect(t.Context(), c.PostgresConfig.DSN)
	require.NoError(t, err)
	open, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = open.Exec(t.Context(), `INSERT INTO users (id, name) VALUES (900, 'not yet')`)
	require.NoError(t, err)
	c.start()
	c.says(fmt.Sprintf("the first reading waits for the transaction of pid %d in database %s", conn.PgConn().PID(),
		conn.Config().Database))
	require.NoError(t, open.Commit(t.Context()))
	require.NoError(t, conn.Close(t.Context()))
	c.requireEqual()
	c.isWell()
}

func TestUnmappedColumnsStayWhereTheyAre(t *testing.T) {
	for _, columns := range []string{"mapped", "all"} {
		t.Run(columns, func(t *testing.T) {
			c := newChain(t)
			c.cfg.Source.PublishColumns = columns
			c.exec(`ALTER TABLE users ADD password_hash text DEFAULT 'hunter2'`, world(10))
			var wide []string
			for i := range 40 {
				c.exec(fmt.Sprintf(`ALTER TABLE posts ADD c%d text`, i))
				wide = append(wide, fmt.Sprintf("c%d = repeat('<', 30000)", i))
			}
			c.start()
			c.requireEqual()
			if _, listed := c.published()["users"]; columns == "mapped" && listed {
				require.NotContains(t, c.published()["users"], "password_hash")
			}
			c.exec(`UPDATE posts SET body = 'wide', `+strings.Join(wide, ", ")+` WHERE id = 1`,
				`ALTER TABLE users REPLICA IDENTITY FULL`)
			wait.Until(t, func() bool { // a list of columns is taken back: PostgreSQL refuses updates with it
				_, err := c.Postgres.Exec(t.Context(), `UPDATE users SET name = 'whole old rows'`)
				return err == nil
			})
			c.requireEqual()
			require.Empty(t, c.letters.list())
			require.Zero(t, total(t, c.sources, "feedrank_cdc_source_shortened_total"))
			for _, value := range c.values("public.users") {
				require.NotContains(t, value, "hunter2")
				require.NotContains(t, value, "password_hash")
			}
		})
	}
}

func TestARowThatIsTooLargeInItsMappedColumnsGoesOnWithoutThem(t *testing.T) {
	c := newChain(t)
	c.exec(`ALTER TABLE posts ADD a text, ADD b text, ADD c text, ADD d text, ADD e text, ADD f text`, world(10))
	for _, column := range []string{"a", "b", "c", "d", "e", "f"} {
		c.cfg.Tables.Post.HiddenWhen = append(c.cfg.Tables.Post.HiddenWhen,
			mapping.Condition{Column: column, In: []string{"hidden"}})
	}
	c.start()
	c.requireEqual()
	c.exec(`UPDATE posts SET a = repeat('<', 30000), b = repeat('<', 30000), c = repeat('<', 30000), d = repeat('<', 30000), e = repeat('<', 30000), f = repeat('<', 30000) WHERE id = 1`,
		`INSERT INTO posts (id, author_id) VALUES (900, 1)`)
	c.requireEqual() // what was left out is read from the table
	require.EqualValues(t, 1, total(t, c.sources, "feedrank_cdc_source_shortened_total"))
	require.Empty(t, c.letters.list())
}

// total adds up a metric.
func total(t testing.TB, reg *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return sum
}

func newPool(t *testing.T, cfg postgres.Config) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.NewPool(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// values are those of all records of a table's topic.
func (c *chain) values(table string) (all []string) {
	c.t.Helper()
	config, err := c.KafkaConfig.Sarama()
	require.NoError(c.t, err)
	client, err := sarama.NewClient(c.KafkaConfig.Brokers, config)
	require.NoError(c.t, err)
	defer func() { require.NoError(c.t, client.Close()) }()
	consumer, err := sarama.NewConsumerFromClient(client)
	require.NoError(c.t, err)
	defer func() { require.NoError(c.t, consumer.Close()) }()
	topic := c.KafkaConfig.Topic(c.cfg.TopicPrefix) + "." + table
	partitions, err := client.Partitions(topic)
	require.NoError(c.t, err)
	for _, p := range partitions {
		end, err := client.GetOffset(topic, p, sarama.OffsetNewest)
		require.NoError(c.t, err)
		if end == 0 {
			continue
		}
		reader, err := consumer.ConsumePartition(topic, p, 0)
		require.NoError(c.t, err)
		for m := range reader.Messages() {
			all = append(all, string(m.Value))
			if m.Offset == end-1 {
				break
			}
		}
		require.NoError(c.t, reader.Close())
	}
	require.NotEmpty(c.t, all)
	return all
}

func TestATableWhoseRecordsAllFailIsSaid(t *testing.T) {
	c := newChain(t)
	c.exec(world(10))
	c.start()
	c.requireEqual()
	require.NoError(t, c.consumer.Probe(t.Context()))
	c.exec(`ALTER TABLE users RENAME COLUMN created_at TO made_at`,
		`INSERT INTO users (id, name) SELECT i, 'x' FROM generate_series(500, 540) i`)
	wait.Until(t, func() bool {
		err := c.consumer.Probe(t.Context())
		return err != nil && strings.Contains(err.Error(), "table public.users") &&
			strings.Contains(err.Error(), "created_at")
	})
	c.exec(`ALTER TABLE users RENAME COLUMN made_at TO created_at`, `UPDATE users SET name = 'y'`)
	c.requireEqual()
	require.NoError(t, c.consumer.Probe(t.Context()))
}
