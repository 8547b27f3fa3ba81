// Package trending is the job that finds trending posts for everybody: what was interacted with most,
// and at the best rate, in an hour, a day and a week, by enough different people. The score is that of
// modules/feed/rank. It publishes the lists in Redis, for replicas whose own hot set is still cold.
package trending
