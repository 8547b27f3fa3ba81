package trending

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// candidate is a post as the view has it.
type candidate struct {
	post         core.ID
	exposed      float64
	interactions float64 // weighted
	disliked     float64 // likewise
}

// Post is one post of a list.
type Post struct {
	ID        core.ID   `json:"post"`
	Author    core.ID   `json:"author"`
	CreatedAt time.Time `json:"created_at"`
	Score     float64   `json:"score"`
	Labels    []core.ID `json:"labels,omitempty"` // when it was looked at
}

// score is that of the ranking: log1p(interactions less dislikes) · (log1p((interactions + a) / (exposures + b)) −
// log1p(dislikes / (exposures + b))) · exp(−decay · age in hours), where what comes with few exposures is taken to have
// come at the highest rate that is believed.
func (w *Weights) score(interactions, disliked, exposed, decay float64, age time.Duration) float64 {
	rate := func(done, prior float64) float64 {
		return math.Log1p((done + prior) / (max(exposed, done/w.rate()) + w.PriorExposures))
	}
	return math.Log1p(max(0, interactions-disliked)) *
		max(0, rate(interactions, w.PriorInteractions)-rate(disliked, 0)) * math.Exp(-decay*max(0, age.Hours()))
}

// decay is that of a window.
func (w *Weights) decay(in window) float64 {
	if in.name == Week {
		return w.WeeklyDecay
	}
	return w.Decay
}

// rate is the highest that is believed.
func (w *Weights) rate() float64 {
	if w.MaxRate > 0 {
		return w.MaxRate
	}
	return math.MaxFloat32
}

// choose makes a list of the candidates that may be shown. Of these as many people liked, or commented, or shared
// each as it takes: by the counts, which hold everybody to one of each. Where the app's own tables count, who
// comments over and over counts at most per user, and a post that too few cared for is refused.
func choose(cfg *Config, w *Weights, in window, now time.Time, found []candidate, visible map[core.ID]core.Post,
	users map[core.ID]int64,
) (list []Post, refused []core.ID) {
	for _, c := range found {
		post, ok := visible[c.post]
		if !ok {
			continue
		}
		n := users[c.post]
		if n < w.MinPeople {
			if c.interactions > float64(max(1, n))*cfg.PerUser {
				refused = append(refused, c.post)
			}
			continue
		}
		interactions := min(c.interactions, float64(n)*cfg.PerUser)
		list = append(list, Post{
			ID: post.ID, Author: post.AuthorID, CreatedAt: post.CreatedAt, Labels: post.Labels.IDs(),
			Score: w.score(interactions, c.disliked, c.exposed, w.decay(in), now.Sub(post.CreatedAt)),
		})
	}
	slices.SortFunc(list, func(a, b Post) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	return list[:min(len(list), cfg.Limit)], refused[:min(len(refused), cfg.Limit)]
}
