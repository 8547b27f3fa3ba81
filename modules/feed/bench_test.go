package feed

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/recentedges"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// BenchmarkCachedPage is what a cached feed costs beside HTTP and Redis: decode the entry and 500
// marks, look 500 posts up among 300k, filter, score, diversify, encode 20 items and a cursor. One
// iteration is one feed.
func BenchmarkCachedPage(b *testing.B) {
	page := cachedPage(b, 300_000)
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		size = page()
	}
	b.ReportMetric(float64(size), "bytes/page")
}

// TestACachedPageHardlyAllocates guards the memory that a page is made in: it is used again. What is left
// is the cursor and its signature.
func TestACachedPageHardlyAllocates(t *testing.T) {
	page := cachedPage(t, 20_000)
	page() // its memory grows to what it needs
	require.LessOrEqual(t, testing.AllocsPerRun(200, func() { page() }), 12.0)
}

// cachedPage makes a page again and again, and tells how long its text is.
func cachedPage(t testing.TB, posts int) func() int {
	t.Helper()
	const viewers, followees = 256, 200 // so many that their posts are in no cache of the processor
	authors := posts / 5
	reg, ranking, cfg := prometheus.NewRegistry(), rank.NewLive(rank.DefaultConfig()), DefaultConfig()
	set := hot.New(cfg.Hot, nil, ranking, core.SystemClock{}, hot.NewMetrics(reg), zap.NewNop())
	now := time.Now()
	changes := make([]core.Change, posts)
	for i := range changes {
		changes[i] = core.Change{Kind: core.PostPut, Post: core.Post{
			ID: core.ID(i + 1), AuthorID: core.ID(1 + (i*7919)%authors),
			CreatedAt: now.Add(-time.Duration(posts-i) * 600 * time.Millisecond),
		}}
	}
	set.Apply(changes)
	f, err := New(Params{
		Config: cfg, Ranking: ranking, Hot: set, RecentEdges: recentedges.New(core.SystemClock{}, reg),
		Store: store.New(cfg.Store, redis.New(redis.DefaultConfig(), core.SystemClock{})), Clock: core.SystemClock{},
		Registry: reg,
		Log:      zap.NewNop(),
	})
	require.NoError(t, err)
	view := set.View()
	states := make([]store.State, viewers)
	for viewer := range states {
		r := reserve.Reserve{BuiltAt: now.Add(time.Minute)} // so that not everything counts as an arrival
		for i := range followees {
			r.Authors = append(r.Authors, reserve.Author{
				ID: core.ID(1 + (viewer*31+i*(authors/followees))%authors), Relation: reserve.Follows,
				Interactions: float32(i % 7),
			})
		}
		slices.SortFunc(r.Authors, func(a, b reserve.Author) int { return cmp.Compare(a.ID, b.ID) })
		for i := 0; len(r.Candidates) < cfg.ReserveSize; i++ {
			view.ByAuthor(r.Authors[i%followees].ID, func(p *hot.Post) bool {
				r.Candidates = append(r.Candidates, reserve.Candidate{
					Post: p.ID, Author: int32(i % followees),
					Source: reserve.Followee, Created: p.Created,
				})
				return len(r.Candidates)%5 != 0 && len(r.Candidates) < cfg.ReserveSize
			})
		}
		states[viewer] = store.State{
			Entry: reserve.AppendEntry(nil, 1, now.Add(time.Hour), &r),
			Seen:  make([]byte, 12*500),
		}
	}
	view.Close()
	ctx, pages := context.Background(), 0
	var buffer []byte
	return func() int {
		q := f.take(Query{User: 7, Order: cursor.Ranked, Limit: 20})
		state := states[pages%viewers]
		pages++
		q.state = state
		if err := q.entry.Decode(state.Entry); err != nil {
			t.Fatal(err)
		}
		q.seenHidden.Read(state, cfg.Store, q.Now, q.Now)
		q.reserve, q.ServedFrom = &q.entry.Reserve, page.FromCache
		_, _ = f.stillVisible(ctx, q), f.arrivals(ctx, q)
		_, _ = score(ctx, q), f.diversify(ctx, q)
		q.show(q.list.Order[:20])
		next := q.Session
		q.Next = &next
		buffer = f.AppendPage(buffer[:0], &q.Page, page.Plain)
		f.give(q)
		return len(buffer)
	}
}
