package trending

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// candidate is a post as the view has it: decayed sums.
type candidate struct {
	post         core.ID
	exposed      float64
	interactions float64 // weighted
}

// Post is one post of a list.
type Post struct {
	ID        core.ID   `json:"post"`
	Author    core.ID   `json:"author"`
	CreatedAt time.Time `json:"created_at"`
	Score     float64   `json:"score"`
}

// score is how much was done times at what rate, with the prior. Trending rises with interactions and
// falls with exposures.
func (w *Weights) score(interactions, exposed float64) float64 {
	return math.Log1p(interactions) * math.Log1p((interactions+w.PriorInteractions)/(exposed+w.PriorExposures))
}

// choose makes a list of the candidates that may be shown. What one account did over and over counts
// at most per user, and a post that too few people cared for is left out: refused, if these few did much.
func choose(cfg *Config, w *Weights, found []candidate, visible map[core.ID]core.Post, users map[core.ID]int64) (list []Post, refused []core.ID) {
	for _, c := range found {
		post, ok := visible[c.post]
		if !ok {
			continue
		}
		n := users[c.post]
		if n < int64(cfg.MinUsers) {
			if c.interactions > float64(max(1, n))*cfg.PerUser {
				refused = append(refused, c.post)
			}
			continue
		}
		interactions := min(c.interactions, float64(n)*cfg.PerUser)
		list = append(list, Post{ID: post.ID, Author: post.AuthorID, CreatedAt: post.CreatedAt, Score: w.score(interactions, c.exposed)})
	}
	slices.SortFunc(list, func(a, b Post) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	return list[:min(len(list), cfg.Limit)], refused[:min(len(refused), cfg.Limit)]
}
