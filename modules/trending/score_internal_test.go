package trending

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
)

func TestTheListHoldsOnlyWhatIsVisibleAndWhatEnoughPeopleCaredFor(t *testing.T) {
	weights := Weights{
		Like: 1, Comment: 2, Share: 3, PriorInteractions: 1, PriorExposures: 20, MaxRate: 0.25,
		MinPeople: 3,
	}
	rapid.Check(t, func(rt *rapid.T) {
		cfg := DefaultConfig()
		cfg.Limit = rapid.IntRange(1, 20).Draw(rt, "limit")
		visible, users := map[core.ID]core.Post{}, map[core.ID]int64{}
		var found []candidate
		for i := range rapid.IntRange(0, 30).Draw(rt, "posts") {
			id := core.ID(i + 1)
			found = append(found, candidate{
				id, rapid.Float64Range(0, 1e6).Draw(rt, "exposed"),
				rapid.Float64Range(0, 1e6).Draw(rt, "interactions"), rapid.Float64Range(0, 10).Draw(rt, "disliked"),
			})
			if rapid.Bool().Draw(rt, "visible") {
				visible[id] = core.Post{ID: id, AuthorID: 1}
			}
			users[id] = rapid.Int64Range(0, 10).Draw(rt, "users")
		}
		list, refused := choose(&cfg, &weights, window{}, time.Now(), found, visible, users)
		if len(list) > cfg.Limit || len(refused) > cfg.Limit {
			rt.Fatal("longer than its bound")
		}
		for i, p := range list {
			if _, ok := visible[p.ID]; !ok || users[p.ID] < weights.MinPeople {
				rt.Fatalf("%s must not be in it", p.ID)
			}
			if most := weights.score(float64(users[p.ID])*cfg.PerUser, 0, 0, 0, 0); p.Score > most {
				rt.Fatalf("%s counts for more than its people may", p.ID)
			}
			if i > 0 && p.Score > list[i-1].Score {
				rt.Fatal("not in the order of scores")
			}
		}
	})
}

func FuzzAPublishedListIsReadOrRefused(f *testing.F) {
	f.Add([]byte(`{"window":"24h","computed_at":"2026-01-01T00:00:00Z","lead":1,"posts":[{"post":"1","author":"2","created_at":"2026-01-01T00:00:00Z","score":1.5}],"refused":["3"]}`))
	f.Add([]byte(`{"posts":[{"post":"0"}]}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := decode(text)
		if err != nil {
			return
		}
		for _, p := range l.Posts {
			if !p.ID.Valid() || !p.Author.Valid() {
				t.Fatal("an id that is none")
			}
		}
	})
}
