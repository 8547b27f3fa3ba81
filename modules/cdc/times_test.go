package cdc_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/tables"
	"github.com/feedrank/feedrank/test/wait"
)

// requirePostTimes waits until copies of posts have these times.
func (c *chain) requirePostTimes(query string) {
	c.t.Helper()
	c.requireCopies(map[string]string{"posts": `SELECT concat_ws('|', id, author_id, (status <> 'published')::int, 0, ` +
		query + `) FROM posts`})
}

func TestTheTypeOfAColumnSaysWhatItsNumbersCount(t *testing.T) {
	for name, column := range map[string]struct{ typ, using, instant string }{
		"milliseconds": {"timestamp(3)", "created_at AT TIME ZONE 'UTC'", micros},
		"microseconds": {"timestamp", "created_at AT TIME ZONE 'UTC'", micros},
		"days":         {"date", "created_at", `extract(epoch FROM created_at)::bigint * 1000000`},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChain(t)
			c.exec(`ALTER TABLE posts ALTER created_at DROP DEFAULT, ALTER created_at TYPE ` + column.typ + ` USING ` +
				column.using)
			c.exec(`INSERT INTO users (id, name) VALUES (1, 'one')`,
				`INSERT INTO posts (id, author_id, created_at) VALUES (1, 1, now())`)
			c.start()
			c.exec(`INSERT INTO posts (id, author_id, created_at) VALUES (2, 1, now())`)
			c.requirePostTimes(column.instant)
			for _, found := range compare(t, c.resync(), resyncAll()) {
				require.True(t, found.Equal(), "%+v", found)
			}
		})
	}
}

func TestLocalTimesAndSecondsAreOneInstantEverywhere(t *testing.T) {
	c := newChain(t)
	c.cfg.Tables.Post.TimeZone = "Asia/Tokyo"
	c.cfg.Tables.Like.TimeUnit = envelope.Seconds
	c.exec(`ALTER TABLE posts ALTER created_at TYPE timestamp USING created_at AT TIME ZONE 'Asia/Tokyo', ALTER created_at SET DEFAULT now() AT TIME ZONE 'Asia/Tokyo'`,
		`ALTER TABLE likes ALTER created_at DROP DEFAULT, ALTER created_at TYPE bigint USING extract(epoch FROM created_at)::bigint`)
	c.exec(`INSERT INTO users (id, name) VALUES (1, 'one')`, `INSERT INTO posts (id, author_id) VALUES (1, 1)`)
	c.start()
	c.exec(`INSERT INTO posts (id, author_id) VALUES (2, 1)`,
		`INSERT INTO likes (user_id, post_id, created_at) VALUES (1, 1, 1793527200)`)
	c.requirePostTimes(`(extract(epoch FROM created_at AT TIME ZONE 'Asia/Tokyo') * 1000000)::bigint`)
	c.requireCopies(map[string]string{"likes": `SELECT concat_ws('|', user_id, post_id, created_at * 1000000) FROM likes`})
	for _, found := range compare(t, c.resync(), resyncAll()) {
		require.True(t, found.Equal(), "%+v", found)
	}
}

// TestAnEndGoesWithTheEdgeAndFollowsItsColumn mutes and blocks for a time, and puts it off.
func TestAnEndGoesWithTheEdgeAndFollowsItsColumn(t *testing.T) {
	c := newChain(t)
	c.cfg.Tables.Mute.GoneWhen = []mapping.Condition{{Column: "until", Is: "past"}}
	c.cfg.Tables.Block.OnlyWhen = []mapping.Condition{{Column: "until", Is: "future"}}
	c.exec(`ALTER TABLE mutes ADD until timestamptz`, `ALTER TABLE blocks ADD until timestamptz`,
		`INSERT INTO users (id, name) SELECT i, 'user' FROM generate_series(1, 4) i`)
	c.start()
	c.exec(`INSERT INTO mutes (muter_id, muted_id, until) VALUES (1, 2, '2031-01-01Z'), (1, 3, NULL)`,
		`INSERT INTO blocks (blocker_id, blocked_id, until) VALUES (1, 4, '2032-01-01Z'), (2, 4, NULL)`)
	requireEnds := func(want ...string) {
		t.Helper()
		wait.Until(t, func() bool {
			lines, err := tables.Copies(t.Context(), c.ClickHouse,
				`SELECT concat(toString(viewer_id), ' ', toString(kind), ' ', toString(other_id), ' ', toString(toYear(until))) AS line FROM viewer_edges FINAL`)
			require.NoError(t, err)
			slices.Sort(lines)
			return slices.Equal(want, lines)
		}, "the ends are there")
	}
	requireEnds("1 block 4 2032", "1 mute 2 2031", "1 mute 3 1970", "4 blocked_by 1 2032")
	c.exec(`UPDATE mutes SET until = '2033-01-01Z' WHERE muted_id = 2`, `UPDATE mutes SET until = '2001-01-01Z' WHERE muted_id = 3`)
	requireEnds("1 block 4 2032", "1 mute 2 2033", "1 mute 3 2001", "4 blocked_by 1 2032")
	for _, found := range compare(t, c.resync(), resyncAll()) {
		require.True(t, found.Equal(), "what has ended is a row of both: %+v", found)
	}
}

func TestOddTimesAreStoredWithinTheRangeAndAComparisonAgrees(t *testing.T) {
	c := newChain(t)
	c.exec(`ALTER TABLE posts ALTER created_at DROP NOT NULL`, `INSERT INTO users (id, name) VALUES (1, 'one')`)
	c.start()
	c.exec(`INSERT INTO posts (id, author_id, created_at) VALUES (1, 1, 'infinity'), (2, 1, '-infinity'), (3, 1, '2262-04-12'), (4, 1, '2299-01-01'), (5, 1, '1800-01-01'),
		(6, 1, NULL), (7, 1, '2261-12-31 23:59:59.999999Z'), (8, 1, '1900-01-01Z'), (9, 1, now())`)
	c.requirePostTimes(`CASE WHEN created_at IS NULL THEN 0 ELSE (extract(epoch FROM least(greatest(created_at, '1900-01-01Z'), '2261-12-31 23:59:59.999999Z')) * 1000000)::bigint END`)
	lines, err := tables.Copies(t.Context(), c.ClickHouse,
		`SELECT toString(toYear(created_at)) AS line FROM posts FINAL WHERE id IN (1, 3, 4)`)
	require.NoError(t, err)
	require.Equal(t, []string{"2261", "2261", "2261"}, lines)
	for _, found := range compare(t, c.resync(), resyncAll()) {
		require.True(t, found.Equal(), "%+v", found)
	}
	require.EqualValues(t, 8, gauge(t, c.reg, "odd_times_total", "public.posts"))
}

func TestAReactionThatIsDatedAheadCountsWhenItArrives(t *testing.T) {
	c := newChain(t)
	c.exec(world(20), `DELETE FROM likes; DELETE FROM comments`)
	c.start()
	c.exec(`INSERT INTO likes (user_id, post_id, created_at) VALUES (1, 1, now() + interval '1 year'), (2, 1, '2150-01-01'), (3, 1, 'infinity'), (4, 1, now() - interval '5 hours'), (5, 1, now() + interval '1 day')`,
		`INSERT INTO comments (id, post_id, author_id, created_at) VALUES (1, 1, 1, '2150-01-01')`)
	counted := func(table, when string) (lines []string) {
		lines, err := tables.Copies(t.Context(), c.ClickHouse,
			`SELECT concat(toString(kind), ' ', toString(user_id)) AS line FROM `+table+` FINAL WHERE `+when)
		require.NoError(t, err)
		return lines
	}
	const lately = `hour BETWEEN now() - INTERVAL 2 HOUR AND now()`
	wait.Until(t, func() bool { return len(counted("reactions_by_hour", "true")) == 6 })
	require.Equal(t, []string{"comment 1", "like 1", "like 2", "like 3", "like 5"},
		counted("reactions_by_hour", lately))
	wait.Until(t, func() bool { return len(counted("reactions_by_user", "day BETWEEN today() - 1 AND today()")) == 6 })
	c.exec(`DELETE FROM likes WHERE user_id IN (1, 3)`,
		`UPDATE likes SET created_at = now() - interval '3 hours' WHERE user_id = 2`,
		`UPDATE comments SET author_id = 2`)
	wait.Until(t, func() bool {
		return len(counted("reactions_by_hour", "true")) == 4 &&
			slices.Equal([]string{"comment 2", "like 5"}, counted("reactions_by_hour", lately))
	}, "what is taken back leaves its place")
	for _, found := range compare(t, c.resync(), resyncAll()) {
		require.True(t, found.Equal(), "%+v", found)
	}
}

func TestTheCheckSaysHowATimeWouldBeRead(t *testing.T) {
	c := newChain(t)
	check := func() error {
		return schema.CheckTables(t.Context(), c.Postgres, c.cfg.Tables, core.SystemClock{}.Now())
	}
	require.NoError(t, check())
	c.cfg.Tables.Post.TimeZone = "Asia/Tokyo"
	require.ErrorContains(t, check(),
		"cdc.tables.post.time_zone: created_at of public.posts is timestamp with time zone")
	c.cfg.Tables.Post.TimeZone = ""
	c.exec(`INSERT INTO users (id, name) VALUES (1, 'one')`, `INSERT INTO posts (id, author_id) VALUES (1, 1)`,
		`ALTER TABLE posts ALTER created_at TYPE timestamp USING created_at AT TIME ZONE 'Asia/Tokyo'`)
	c.Postgres.Reset()
	require.ErrorContains(t, check(), "is time_unit or time_zone missing?", "nine hours ahead")
	c.cfg.Tables.Post.TimeZone = "Asia/Tokyo"
	require.NoError(t, check())
	c.cfg.Tables.Post.TimeZone = ""
	c.exec(`ALTER TABLE posts ALTER created_at DROP DEFAULT, ALTER created_at TYPE bigint USING extract(epoch FROM created_at AT TIME ZONE 'Asia/Tokyo')::bigint * 1000`)
	c.Postgres.Reset() // who checks has no plans of before
	require.ErrorContains(t, check(), "cdc.tables.post.time_unit: created_at of public.posts is a number (bigint)")
	c.cfg.Tables.Post.TimeUnit = envelope.Seconds
	require.ErrorContains(t, check(), "is read as 22", "milliseconds as seconds")
	c.cfg.Tables.Post.TimeUnit = envelope.Millis
	require.NoError(t, check())
}
