package feed

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/heard"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// BenchmarkCachedPage is what a cached feed costs beside HTTP and Redis: decode the entry and 500
// marks, look 500 posts up among 300k, filter, score, diversify, encode 20 items and a cursor. One
// iteration is one feed.
func BenchmarkCachedPage(b *testing.B) {
	const posts, authors, followees = 300_000, 60_000, 200
	reg := prometheus.NewRegistry()
	ranking := rank.NewLive(rank.DefaultConfig())
	cfg := DefaultConfig()
	set := hot.New(cfg.Hot, nil, ranking, core.SystemClock{}, hot.NewMetrics(reg), zap.NewNop())
	now := time.Now()
	changes := make([]core.Change, posts)
	for i := range changes {
		changes[i] = core.Change{Kind: core.PostPut, Post: core.Post{
			ID: core.ID(i + 1), AuthorID: core.ID(1 + (i*7919)%authors), CreatedAt: now.Add(-time.Duration(posts-i) * 600 * time.Millisecond),
		}}
	}
	set.Apply(changes)
	f, err := New(Params{Config: cfg, Ranking: ranking, Hot: set, Heard: heard.New(core.SystemClock{}, reg), Store: store.New(cfg.Store, redis.New(redis.DefaultConfig())), Clock: core.SystemClock{}, Registry: reg, Log: zap.NewNop()})
	if err != nil {
		b.Fatal(err)
	}
	r := reserve.Reserve{BuiltAt: now.Add(time.Minute)} // so that not everything counts as an arrival
	for i := range followees {
		r.Authors = append(r.Authors, reserve.Author{ID: core.ID(1 + i*300), Relation: reserve.Follows, Interactions: float32(i % 7)})
	}
	view := set.View()
	for i := 0; len(r.Candidates) < cfg.ReserveSize; i++ {
		view.ByAuthor(r.Authors[i%followees].ID, func(p *hot.Post) bool {
			r.Candidates = append(r.Candidates, reserve.Candidate{Post: p.ID, Author: int32(i % followees), Source: reserve.Followee, Created: p.Created})
			return len(r.Candidates)%5 != 0 && len(r.Candidates) < cfg.ReserveSize
		})
	}
	view.Close()
	state := store.State{Entry: reserve.AppendEntry(nil, 1, now.Add(time.Hour), &r), Seen: make([]byte, 12*500)}
	b.ReportMetric(float64(len(state.Entry)), "bytes/entry")
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		q := f.take(Query{User: 7, Algo: cursor.Ranked, Limit: 20})
		q.state = state
		if err := q.entry.Decode(state.Entry); err != nil {
			b.Fatal(err)
		}
		q.marks.read(state, cfg.Store, q.now, q.now)
		q.reserve, q.servedFrom = &q.entry.Reserve, FromCache
		f.candidates(q)
		q.work.score(&q.ranking.Config, q.now)
		q.work.diversify(q.ranking.Diversity)
		q.page = q.work.order[:20]
		next := q.session
		q.next = &next
		buffer = appendPage(buffer[:0], q, f.cursors, f.tokens)
		f.give(q)
	}
	b.ReportMetric(float64(len(buffer)), "bytes/page")
}
