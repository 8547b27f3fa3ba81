package cdc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/cdc/resync"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/tables"
	"github.com/feedrank/feedrank/test/wait"
)

func (c *chain) resync() *resync.Resync {
	c.t.Helper()
	producer := kafka.NewProducer(c.KafkaConfig)
	c.t.Cleanup(func() { require.NoError(c.t, producer.Close()) })
	c.cfg.Resync.ChunkRows = 37 // many chunks
	r, err := cdc.NewResync(c.cfg, c.KafkaConfig, c.Postgres, c.ClickHouse, producer, core.SystemClock{},
		prometheus.NewRegistry())
	require.NoError(c.t, err)
	return r
}

// spoil changes copies behind the consumer's back, as lost records would have.
func (c *chain) spoil(statements ...string) {
	c.t.Helper()
	for _, s := range statements {
		require.NoError(c.t, c.ClickHouse.Write(c.t.Context(),
			clickhouse.Query{Name: "spoil", Query: ch.Query{Body: s}}))
	}
}

const spoiling = 5 // rows of each kind of damage

func (c *chain) spoilAll() {
	c.spoil(
		`INSERT INTO posts SELECT * REPLACE (version + 1 AS version, 1 AS is_deleted) FROM posts FINAL WHERE id % 7 = 1 ORDER BY id LIMIT 5`,
		`INSERT INTO posts SELECT * REPLACE (version + 1 AS version, author_id + 1 AS author_id) FROM posts FINAL WHERE id % 7 = 2 ORDER BY id LIMIT 5`,
		`INSERT INTO posts SELECT * REPLACE (id + 500000 AS id) FROM posts FINAL WHERE id % 7 = 3 ORDER BY id LIMIT 5`,
		`INSERT INTO likes SELECT * REPLACE (version + 1 AS version, 1 AS is_deleted) FROM likes FINAL ORDER BY row_key LIMIT 5`,
		`INSERT INTO viewer_edges SELECT * REPLACE (version + 1 AS version, 1 AS is_deleted) FROM viewer_edges FINAL WHERE kind = 'blocked_by' ORDER BY viewer_id LIMIT 5`,
		`INSERT INTO viewer_edges SELECT * REPLACE (version + 1 AS version, 0 AS is_deleted) FROM (SELECT * FROM viewer_edges WHERE kind = 'mute' AND is_deleted = 1 ORDER BY viewer_id LIMIT 5)`,
	)
}

// lostRows are gone without a trace: what was derived from them is not, as long as nobody says what they were.
const lostRows = `ALTER TABLE comments DELETE WHERE row_key IN (SELECT row_key FROM comments ORDER BY row_key LIMIT 5) SETTINGS mutations_sync = 2`

func TestAComparisonFindsWhatDiffersAndARepairSetsItRight(t *testing.T) {
	c := newChain(t)
	c.exec(world(100), `UPDATE posts SET body = repeat('large row ', 200000) WHERE id = 16`)
	c.start()
	c.requireEqual()
	c.exec(`DELETE FROM mutes WHERE muter_id < 27`) // five
	c.requireEqual()
	r := c.resync()
	for _, comparison := range compare(t, r, resync.Options{Settle: 100 * time.Millisecond}) {
		require.True(t, comparison.Equal(), "%+v", comparison)
	}
	c.spoilAll()
	c.spoil(lostRows)
	found := map[string]resync.Comparison{}
	for _, comparison := range compare(t, r, resync.Options{Settle: 100 * time.Millisecond}) {
		found[comparison.Kind] = comparison
	}
	require.Equal(t, []int{spoiling, spoiling, spoiling},
		[]int{found["post"].Missing, found["post"].Wrong, found["post"].TooMany})
	require.Equal(t, spoiling, found["like"].Missing)
	require.Equal(t, spoiling, found["comment"].Missing)
	require.Equal(t, []int{spoiling, spoiling}, []int{found["block"].Edges, found["mute"].Edges})
	require.True(t, found["follow"].Equal())

	compare(t, r, resync.Options{Repair: true})
	c.requireEqual()
	c.exec(`UPDATE posts SET body = 'and changes go on', created_at = created_at - interval '1 hour'`)
	c.requireEqual()
	require.Empty(t, c.letters.list())
	_, err := r.Run(t.Context(), resync.Options{Table: "public.nothing"})
	require.ErrorContains(t, err, "public.posts")
}

func TestARepairAmongLiveChangesNeverBeatsALaterOne(t *testing.T) {
	c := newChain(t)
	c.exec(world(60))
	c.start()
	c.requireEqual()
	var changes atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	w := &tables.Writer{Pool: c.Postgres, Random: rand.New(rand.NewPCG(3, 4)), Users: 60, Rows: &changes}
	writers.Go(func() { w.Run(ctx) })
	r := c.resync()
	for range 3 { // with nothing to settle it takes all that is on its way for damage
		c.spoilAll()
		compare(t, r, resync.Options{Repair: true})
	}
	cancel()
	writers.Wait()
	require.Positive(t, changes.Load())
	// What was spoiled while its row changed is found now that nothing changes.
	wait.Until(t, func() bool {
		diff, _, err := tables.Differences(t.Context(), c.Postgres, c.ClickHouse)
		if err == nil && diff != "" {
			compare(t, r, resync.Options{Repair: true, Settle: 300 * time.Millisecond})
		}
		return err == nil && diff == ""
	})
}

func resyncAll() resync.Options { return resync.Options{Repair: true, Settle: time.Millisecond} }

func compare(t *testing.T, r *resync.Resync, o resync.Options) []resync.Comparison {
	t.Helper()
	found, err := r.Run(t.Context(), o)
	require.NoError(t, err)
	return found
}

func TestAComparisonThatWasKilledGoesOnWhereItWas(t *testing.T) {
	c := newChain(t)
	c.exec(world(100))
	c.start()
	c.requireEqual()
	c.spoilAll()
	r := c.resync()
	o := resync.Options{Name: "test", Settle: time.Millisecond}
	first := o
	ctx, kill := context.WithCancel(t.Context())
	first.Progress = func(found resync.Comparison) {
		if found.Kind == "follow" { // users, posts and follows are done
			kill()
		}
	}
	_, err := r.Run(ctx, first)
	require.ErrorIs(t, err, context.Canceled)
	c.spoil(`INSERT INTO users SELECT * REPLACE (version + 1 AS version, toDateTime64('2020-01-01', 6) AS created_at) FROM users FINAL WHERE id = 5`)
	found := map[string]resync.Comparison{}
	for _, comparison := range compare(t, c.resync(), o) { // another process: it hashes differently
		found[comparison.Kind] = comparison
	}
	require.Len(t, found, 7)
	require.True(t, found["user"].Equal(), "users were compared before that one was spoiled")
	require.Equal(t, []int{spoiling, spoiling, spoiling},
		[]int{found["post"].Missing, found["post"].Wrong, found["post"].TooMany},
		"what was found before is not forgotten")
	require.Equal(t, spoiling, found["like"].Missing)
	for _, comparison := range compare(t, r, o) { // it is done: the next one begins anew
		if comparison.Kind == "user" {
			require.Equal(t, 1, comparison.Wrong)
		}
	}
}

func TestAComparisonIsKilledInTheMiddleOfATableAndGoesOnThere(t *testing.T) {
	c := newChain(t)
	c.exec(`INSERT INTO users (id, name) SELECT i, 'u' FROM generate_series(1, 10000) i`)
	c.cfg.Resync.ChunkRows = 2000
	r, err := cdc.NewResync(c.cfg, c.KafkaConfig, c.Postgres, c.ClickHouse, nil, core.SystemClock{},
		prometheus.NewRegistry())
	require.NoError(t, err)
	read := int64(0)
	ctx, kill := context.WithCancel(t.Context())
	o := resync.Options{
		Name: "test", Table: "public.users", Settle: time.Millisecond,
		Rows: func(_ string, n, _ int64) {
			if read += n; read > 5000 {
				kill()
			}
		},
	}
	_, err = r.Run(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
	read = -1 << 40
	before := read
	found := compare(t, r, o)
	require.Less(t, read-before, int64(10000-3000), "what was compared is not read again")
	require.Equal(t, int64(10000), found[0].Rows)
	require.Equal(t, 10000, found[0].Missing)
}

func TestKeysThatAreNoIntegersAreComparedInSlices(t *testing.T) {
	c := newChain(t)
	c.exec(`ALTER TABLE likes DROP CONSTRAINT likes_pkey, ADD COLUMN id uuid PRIMARY KEY DEFAULT gen_random_uuid()`,
		world(100))
	c.start()
	c.requireEqual()
	c.spoil(`INSERT INTO likes SELECT * REPLACE (version + 1 AS version, 1 AS is_deleted) FROM likes FINAL ORDER BY row_key LIMIT 5`)
	c.exec(`ANALYZE likes`)
	r := c.resync()
	found := compare(t, r, resync.Options{Table: "public.likes", Repair: true, Settle: time.Millisecond})
	require.Equal(t, spoiling, found[0].Missing)
	require.Equal(t, int64(100), found[0].Rows)
	c.requireEqual()
}

func TestARepairIsWrittenUnderTheKeyThatTheConnectorWrites(t *testing.T) {
	c := newChain(t)
	c.makeTopics()
	c.startConsumer()
	d, now := c.connector(), time.Now()
	const wrapped = `{"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"}],"optional":false,"name":"cdc.public.users.Key"},"payload":{"id":%d}}`
	var right struct {
		At string `json:"created_at"`
	}
	require.NoError(t, json.Unmarshal([]byte(user(1, "right")), &right))
	c.exec(fmt.Sprintf(`INSERT INTO users (id, name, created_at) SELECT i, 'right', '%s' FROM generate_series(1, 40) i`,
		right.At))
	for id := 1; id <= 40; id++ {
		d.keyed("users", fmt.Sprintf(wrapped, id), "c", user(id, "right"), at{100, 110, now, "", 0})
	}
	c.requireEqual()
	c.spoil(`INSERT INTO users SELECT * REPLACE (version + 1 AS version, toDateTime64('2020-01-01', 6) AS created_at) FROM users FINAL`)
	compare(t, c.resync(), resync.Options{Table: "public.users", Repair: true, Settle: time.Millisecond})
	c.requireEqual()
	require.Empty(t, c.misplaced("users", func(id int) string { return fmt.Sprintf(wrapped, id) }),
		"a repair stands in another partition than its row")

	d.keyed("follows", `{"other":7,"followee_id":1}`, "c",
		`{"follower_id":2,"followee_id":1,"created_at":"2026-11-01T10:00:00Z"}`, at{100, 110, now, "", 0})
	c.exec(`INSERT INTO follows (follower_id, followee_id) VALUES (2, 1), (1, 2)`)
	_, err := c.resync().Run(t.Context(), resync.Options{Table: "public.follows", Repair: true})
	require.ErrorContains(t, err, "is not repaired")
}
