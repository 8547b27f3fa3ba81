package hot

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
)

// counted is a table of a few posts with what was done with them.
type counted map[core.ID]core.Engagement

func (c counted) Posts(_ context.Context, _ time.Time, _ int, add func(core.Post)) error {
	for id := range c {
		add(core.Post{ID: id, AuthorID: 1, CreatedAt: time.Now()})
	}
	return nil
}

func (c counted) OlderPosts(context.Context, time.Time, int, func(core.Post)) error { return nil }

func (c counted) Engagement(_ context.Context, _, _ time.Time, add func(core.ID, Age, core.Engagement)) error {
	for id, e := range c {
		add(id, Current, e)
	}
	return nil
}

func (c counted) EngagementLately(ctx context.Context, since, hour time.Time, _ time.Duration,
	add func(core.ID, Age, core.Engagement),
) error {
	return c.Engagement(ctx, since, hour, add)
}

// Whatever happens to the set, the term that it keeps of a post is the one that its counts give.
func TestATermThatIsKeptIsTheOneThatTheCountsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, live := counted{}, rank.NewLive(rank.DefaultConfig())
		s := New(DefaultConfig(), table, live, core.SystemClock{}, NewMetrics(prometheus.NewRegistry()), zap.NewNop())
		ids := rapid.Custom(func(t *rapid.T) core.ID { return core.ID(rapid.Int64Range(1, 20).Draw(t, "id")) })
		version := uint64(0)
		t.Repeat(map[string]func(*rapid.T){
			"count": func(t *rapid.T) {
				table[ids.Draw(t, "post")] = core.Engagement{
					Likes:     rapid.Int64Range(0, 50).Draw(t, "likes"),
					Exposures: 100,
				}
			},
			"load":    func(t *rapid.T) { require.NoError(t, s.Load(context.Background())) },
			"refresh": func(t *rapid.T) { require.NoError(t, s.Refresh(context.Background(), false)) },
			"recount": func(t *rapid.T) { require.NoError(t, s.Refresh(context.Background(), true)) },
			"rank":    func(*rapid.T) { s.rankLists() },
			"judge":   func(t *rapid.T) { s.Suppress(rapid.SliceOfN(ids, 0, 3).Draw(t, "suppressed")) },
			"put": func(t *rapid.T) {
				s.Apply([]core.Change{{Kind: core.PostPut, Post: core.Post{
					ID: ids.Draw(t, "post"), AuthorID: 2,
					CreatedAt: time.Now(),
				}}})
			},
			"delete": func(t *rapid.T) {
				s.Apply([]core.Change{{Kind: core.PostDeleted, Post: core.Post{ID: ids.Draw(t, "post")}}})
			},
			"change the ranking": func(t *rapid.T) {
				version++
				next := rank.Versioned{Version: version, Config: rank.DefaultConfig()}
				next.Engagement.Like = rapid.Float64Range(0, 5).Draw(t, "like")
				live.Set(next)
			},
			"": func(t *rapid.T) {
				v := s.View()
				defer v.Close()
				for id := range core.ID(21) {
					if p := v.Get(id); p != nil {
						require.InDelta(t, live.Get().EngagementTerm(p.Day()), v.EngagementTerm(p, live.Get()), 0)
					}
				}
			},
		})
	})
}
