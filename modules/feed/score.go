package feed

import "context"

// score puts the list in the order of the scores.
func score(_ context.Context, r *request) error {
	r.list.Score(&r.Ranking.Config, r.Now)
	return nil
}

// diversify reorders it by the rules of variety.
func (f *Feed) diversify(_ context.Context, r *request) error {
	f.markQuiet(r)
	r.list.Diversify(r.Ranking.Diversity)
	return nil
}

// markQuiet notes who posts seldom, where places are kept for them.
func (f *Feed) markQuiet(r *request) {
	if r.hot.Useful() {
		r.list.MarkQuiet(r.Ranking.Diversity, r.hot, r.Now.Add(-f.cfg.Hot.Window).UnixMicro(), r.reserve)
	}
}
