// Package trending is the job that finds trending posts for everybody: what was interacted with most, and at the best
// rate, in an hour, a day and a week, by enough different people. The score is that of modules/feed/rank. It publishes
// the lists in Redis, for replicas whose own hot set is still cold.
//
// The lists are computed from post_metrics_1h. The top candidates are checked by distinct users over the raw rows
// before they are published (hot:posts:{window}, 60 s). What the check refused is published with them: the hot set
// counts no engagement of such a post (feed/hot/verdicts.go). The job takes the constants of ranking in its
// configuration, not those that were changed while it runs.
package trending
