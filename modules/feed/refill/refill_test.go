package refill

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/idset"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) { stack.Main(m, embeddedtest.Only(embedded.ClickHouse, embedded.Postgres)) }

type erased map[core.ID]bool

func (erased) Refresh(context.Context) error { return nil }
func (e erased) Has(user core.ID) bool       { return e[user] }

type world struct {
	*stack.Stack
	t      *testing.T
	source *ClickHouse
	job    *Job
	store  *store.Store
	conn   rueidis.Client
	erased erased
	offset int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Stack: stack.New(t), t: t, erased: erased{}}
	client := stack.Redis(t, w.RedisConfig)
	conn, err := client.Conn()
	require.NoError(t, err)
	cfg := store.DefaultConfig()
	cfg.MaxSeen = 10
	w.conn, w.store, w.source = conn, store.New(cfg, client), NewClickHouse(w.ClickHouse)
	w.job = NewJob(cfg, w.source, w.store, NewWitnesses(client), w.erased, core.SystemClock{}, prometheus.NewRegistry(),
		zap.NewNop())
	for partition := range 2 {
		w.write("INSERT INTO partition_owners (fence, token, owner, claimed_at) VALUES (%d, 7, 'test', now64(3))",
			partition<<32|1)
		w.write("INSERT INTO event_ranges (kafka_partition, last_offset, fence, token, applied_at) VALUES (%d, 1000, %d, 7, now64(3))", partition, partition<<32|1)
	}
	return w
}

func (w *world) write(statement string, args ...any) {
	w.t.Helper()
	body := fmt.Sprintf(statement, args...)
	require.NoError(w.t, w.ClickHouse.Write(context.Background(),
		clickhouse.Query{Name: "test", Query: ch.Query{Body: body}}), body)
}

// event is a raw one, of a partition that is the user's.
func (w *world) event(user core.ID, action string, post int, ago time.Duration) {
	w.t.Helper()
	w.offset++
	at := time.Now().Add(-ago).UnixMilli()
	w.write("INSERT INTO events (kafka_partition, user_id, event_id, post_id, author_id, action, occurred_at, received_at, epoch, kafka_offset, fence, token) "+
		"VALUES (%[1]d, %[2]d, generateUUIDv4(), %[3]d, 5, '%[4]s', %[5]d, %[5]d, 0, %[6]d, %[7]d, 7)", user%2, user,
		post, action, at, w.offset, int64(user%2)<<32|1)
}

func (w *world) run() {
	w.t.Helper()
	require.NoError(w.t, w.job.Run(w.t.Context(), 1))
}

func (w *world) empty() {
	w.t.Helper()
	require.NoError(w.t, w.conn.Do(w.t.Context(), w.conn.B().Flushall().Build()).Error())
}

func (w *world) whole() bool {
	w.t.Helper()
	whole, err := w.job.witnesses.Whole(w.t.Context())
	require.NoError(w.t, err)
	return whole
}

// knows are the posts that Redis has of a user, and how many marks these are.
func (w *world) knows(user core.ID) (seen, hidden []core.ID, kept int) {
	w.t.Helper()
	state, err := w.store.Load(w.t.Context(), user)
	require.NoError(w.t, err)
	list := func(b []byte) (posts []core.ID) {
		var set idset.Set
		var undone marks.Undone
		undone.Learn(b)
		marks.CollectHidden(&set, b, time.Unix(0, 0), time.Now().Add(time.Hour), undone)
		for post := range core.ID(1000) {
			if post.Valid() && set.Has(post) {
				posts = append(posts, post)
			}
		}
		return posts
	}
	return list(state.Seen), list(state.Hidden), (len(state.Seen) + len(state.Hidden)) / marks.Size
}

func TestAnEmptiedRedisIsGivenBackWhatViewersSawAndHid(t *testing.T) {
	w := newWorld(t)
	w.event(1, "hide", 71, 20*24*time.Hour)
	w.event(1, "not_interested", 72, time.Hour)
	w.event(1, "impression", 73, time.Hour)
	w.event(1, "view", 74, 30*time.Hour) // too long ago
	w.event(1, "like", 75, time.Hour)
	w.event(2, "view", 76, 23*time.Hour)
	w.event(3, "hide", 77, 31*24*time.Hour) // likewise
	w.event(4, "hide", 78, time.Hour)
	w.erased[4] = true
	w.event(5, "hide", 80, 3*time.Hour)
	w.event(5, "unhide", 81, 2*time.Hour) // told in another order than it was done
	w.event(5, "hide", 81, 4*time.Hour)
	w.event(5, "not_interested", 82, 3*time.Hour)
	w.event(5, "unhide", 82, 2*time.Hour)
	w.event(5, "hide", 82, time.Hour)

	require.False(t, w.whole(), "a Redis that was never filled")
	w.run()
	require.True(t, w.whole())
	check := func() {
		t.Helper()
		seen, hidden, kept := w.knows(1)
		require.Equal(t, []core.ID{73}, seen)
		require.Equal(t, []core.ID{71, 72}, hidden)
		require.Equal(t, 3, kept)
		seen, _, _ = w.knows(2)
		require.Equal(t, []core.ID{76}, seen)
		_, hidden, _ = w.knows(5)
		require.Equal(t, []core.ID{80, 82}, hidden, "a hide that was taken back is none")
		for _, user := range []core.ID{3, 4} {
			_, _, kept := w.knows(user)
			require.Zero(t, kept)
		}
	}
	check()
	w.event(2, "hide", 79, 0)
	w.run()
	_, hidden, _ := w.knows(2)
	require.Empty(t, hidden, "the consumer tells what comes; the job reads only what was lost")

	for n := range witnesses { // one node of a cluster is replaced
		if n%5 == 0 {
			require.NoError(t, w.conn.Do(t.Context(), w.conn.B().Del().Key(witness(n)).Build()).Error())
		}
	}
	w.run()
	check() // nothing is there twice
	w.empty()
	w.run()
	check()
}

func TestWhatIsMarkedMeanwhileStaysTheLatest(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		w.event(1, "view", 100+i, time.Hour-time.Duration(i)*time.Minute)
	}
	now := store.Mark{User: 1, Post: 500, At: time.Now()}
	require.NoError(t, w.store.MarkSeen(t.Context(), []store.Mark{now}))
	w.run()
	seen, _, kept := w.knows(1)
	require.Equal(t, 11, kept, "the latest of those that were lost, as many as are kept, and what came since")
	require.Equal(t, []core.ID{120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 500}, seen)
	state, err := w.store.Load(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, marks.Append(nil, now.Post, now.At), state.Seen[len(state.Seen)-marks.Size:])
}

func TestPagesAreOfWholeUsersAndLeaveNobodyOut(t *testing.T) {
	w := newWorld(t)
	w.source.rows = 4
	want := map[core.ID]int{2: 1, 4: 3, 6: 2, 8: 9, 10: 1, 12: 4, 14: 1}
	for user, n := range want {
		for i := range n {
			w.event(user, "view", 100+i, time.Hour)
		}
	}
	got := map[core.ID]int{}
	for after := core.ID(0); ; {
		page, err := w.source.Seen(t.Context(), 0, after, time.Now().Add(-24*time.Hour))
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		require.Greater(t, page[0].User, after, "nobody comes twice")
		for _, m := range page {
			got[m.User]++
		}
		after = page[len(page)-1].User
	}
	want[8] = 4 // of one who has more than a page, a page
	require.Equal(t, want, got)
}

// sources fail in the middle, or see Redis emptied.
type broken struct {
	Source
	then func() error
}

func (b broken) Seen(ctx context.Context, partition uint16, after core.ID, since time.Time) ([]store.Mark, error) {
	if err := b.then(); err != nil {
		return nil, err
	}
	return b.Source.Seen(ctx, partition, after, since)
}

func TestARunThatDoesNotComeToItsEndIsRepeated(t *testing.T) {
	w := newWorld(t)
	w.event(1, "hide", 71, time.Hour)
	w.event(1, "view", 72, time.Hour)
	gone := errors.New("ClickHouse went away")
	w.job.source = broken{w.source, func() error { return gone }}
	require.ErrorIs(t, w.job.Run(t.Context(), 1), gone)
	require.False(t, w.whole())

	w.job.source = broken{w.source, func() error { w.empty(); return nil }}
	require.ErrorIs(t, w.job.Run(t.Context(), 1), errLostAgain)
	require.False(t, w.whole())

	w.job.source = w.source
	w.run()
	require.True(t, w.whole())
	seen, hidden, kept := w.knows(1)
	require.Equal(t, []core.ID{72}, seen)
	require.Equal(t, []core.ID{71}, hidden)
	require.Equal(t, 2, kept)
}
