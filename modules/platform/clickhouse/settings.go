package clickhouse

import (
	"slices"

	"github.com/ClickHouse/ch-go"
)

// pinned are the settings that every query carries, because their defaults have changed between
// versions of ClickHouse and our guarantees rest on them.
var pinned = []ch.Setting{
	// An acknowledged insert must be in the table, not in a buffer.
	{Key: "async_insert", Value: "0", Important: true},
	// A batch that reached the raw table must reach the views or fail as a whole.
	{Key: "materialized_views_ignore_errors", Value: "0", Important: true},
	// One block is one part for each partition, written with the views in one go.
	{Key: "parallel_view_processing", Value: "0", Important: true},
	{Key: "insert_deduplicate", Value: "0", Important: true},
}

// OneThread keeps a question from taking cores that other requests need, and a read of a few granules from starting
// threads, which costs more than the read.
var OneThread = []ch.Setting{{Key: "max_threads", Value: "1"}}

// Background has a statement wait for those that answer requests where the server's cores are short. It is the niceness of its
// threads, and those of the views that it writes; a server that may not change it (no CAP_SYS_NICE) leaves it.
var Background = []ch.Setting{{Key: "os_threads_nice_value_query", Value: "10"}, {Key: "os_threads_nice_value_materialized_view", Value: "10"}}

// Job is Background with OneThread: what nobody waits for.
var Job = slices.Concat(Background, OneThread)

// PointRead reads rows as they lie by primary key: with one thread, all columns at once, and planned by the older,
// shorter analysis of queries.
var PointRead = slices.Concat(OneThread, []ch.Setting{{Key: "optimize_move_to_prewhere", Value: "0"}, {Key: "enable_analyzer", Value: "0"}})

// withPinned puts the query's own settings over the pinned ones.
func withPinned(own []ch.Setting) []ch.Setting {
	out := make([]ch.Setting, 0, len(pinned)+len(own))
	for _, p := range pinned {
		if !has(own, p.Key) {
			out = append(out, p)
		}
	}
	return append(out, own...)
}

func has(settings []ch.Setting, key string) bool {
	for _, s := range settings {
		if s.Key == key {
			return true
		}
	}
	return false
}
