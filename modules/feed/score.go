package feed

import "context"

// score puts the list in the order of the scores.
func score(_ context.Context, r *request) error {
	r.list.Score(&r.Ranking.Config, r.Now)
	return nil
}

// diversify reorders it by the rules of variety.
func diversify(_ context.Context, r *request) error {
	r.list.Diversify(r.Ranking.Diversity)
	return nil
}
