package clickhouse

import (
	"slices"

	"github.com/ClickHouse/ch-go"
)

// pinned are the settings that every query carries. A server's profile may bring others, defaults change between
// versions, and what we promise rests on these. A server that does not know one of them has not what it turns off.
// What is in no list here costs time or fails with an error that says why; none of that makes an answer wrong.
var pinned = slices.Concat(understood, written, answered)

// written is how rows get in.
var written = []ch.Setting{
	// An acknowledged insert must be in the table, not in a buffer.
	{Key: "async_insert", Value: "0", Important: true},
	// A batch that reached the raw table must reach the views or fail as a whole.
	{Key: "materialized_views_ignore_errors", Value: "0", Important: true},
	{Key: "ignore_materialized_views_with_dropped_target_table", Value: "0"},
	// One block is one part for each partition, written with the views in one go.
	{Key: "parallel_view_processing", Value: "0", Important: true},
	{Key: "use_strict_insert_block_limits", Value: "0"},
	{Key: "implicit_transaction", Value: "0"},
	// The server must take no batch for one that it had: our ledger knows, and its hash does not.
	{Key: "insert_deduplicate", Value: "0", Important: true},
	{Key: "deduplicate_insert", Value: "disable"}, // from 26.2 on they outrank the one above
	{Key: "deduplicate_insert_select", Value: "disable"},
	{Key: "insert_deduplication_token", Value: ""},
	// A batch has events of many days, each of which is a partition.
	{Key: "max_partitions_per_insert_block", Value: "0"},
	// A removal is waited for by asking, not by a statement that outlasts its deadline.
	{Key: "mutations_sync", Value: "0"},
	// What a narrower type cannot hold becomes the nearest that it can, rather than any.
	{Key: "date_time_overflow_behavior", Value: "saturate"},
}

// understood is what a statement means.
var understood = []ch.Setting{
	{Key: "compatibility", Value: ""}, // before all others: it sets many
	{Key: "session_timezone", Value: "UTC", Important: true},
	{Key: "enable_analyzer", Value: "1"},
	{Key: "join_use_nulls", Value: "0", Important: true}, // joinGet of a fence that nobody took is 0
	{Key: "join_any_take_last_row", Value: "0", Important: true},
	{Key: "join_default_strictness", Value: "ALL"},
	{Key: "transform_null_in", Value: "0", Important: true},
	{Key: "group_by_use_nulls", Value: "0"},
	{Key: "aggregate_functions_null_for_empty", Value: "0", Important: true},
	{Key: "empty_result_for_aggregation_by_empty_set", Value: "0", Important: true},
	{Key: "data_type_default_nullable", Value: "0", Important: true},
	{Key: "cast_keep_nullable", Value: "0"},
	{Key: "count_distinct_implementation", Value: "uniqExact"},
	{Key: "prefer_column_name_to_alias", Value: "0", Important: true},
	{Key: "asterisk_include_materialized_columns", Value: "0"},
	{Key: "asterisk_include_alias_columns", Value: "0"},
	{Key: "asterisk_include_virtual_columns", Value: "0"},
	{Key: "enable_extended_results_for_datetime_functions", Value: "0"},
	{Key: "date_time_input_format", Value: "basic"},
	{Key: "date_time_output_format", Value: "simple"},
	{Key: "bool_true_representation", Value: "true"},
	{Key: "bool_false_representation", Value: "false"},
}

// answered is that an answer is whole, of this moment, and in the form that the client reads.
var answered = []ch.Setting{
	{Key: "final", Value: "0", Important: true}, // some reads take rows as they lie, deleted ones too
	{Key: "use_skip_indexes_if_final_exact_mode", Value: "1"},
	{Key: "optimize_move_to_prewhere_if_final", Value: "0"},
	{Key: "use_query_cache", Value: "0", Important: true}, // or the holder of a fence would be that of a minute ago
	{Key: "limit", Value: "0", Important: true},
	{Key: "offset", Value: "0", Important: true},
	{Key: "additional_table_filters", Value: "{}"},
	{Key: "additional_result_filter", Value: ""},
	{Key: "partial_result_on_first_cancel", Value: "0"},
	{Key: "ignore_cold_parts_seconds", Value: "0"},
	// A limit of the profile must be an error, not half of an answer.
	{Key: "read_overflow_mode", Value: "throw"},
	{Key: "read_overflow_mode_leaf", Value: "throw"},
	{Key: "group_by_overflow_mode", Value: "throw"},
	{Key: "sort_overflow_mode", Value: "throw"},
	{Key: "result_overflow_mode", Value: "throw"},
	{Key: "timeout_overflow_mode", Value: "throw"},
	{Key: "timeout_overflow_mode_leaf", Value: "throw"},
	{Key: "set_overflow_mode", Value: "throw"},
	{Key: "join_overflow_mode", Value: "throw"},
	{Key: "transfer_overflow_mode", Value: "throw"},
	{Key: "distinct_overflow_mode", Value: "throw"},
	{Key: "force_primary_key", Value: "0"}, // some jobs scan
	{Key: "force_index_by_date", Value: "0"},
	{Key: "extremes", Value: "0"},
	{Key: "low_cardinality_allow_in_native_format", Value: "1"},
	{Key: "output_format_native_encode_types_in_binary_format", Value: "0"},
	{Key: "input_format_native_decode_types_in_binary_format", Value: "0"},
	{Key: "output_format_native_use_flattened_dynamic_and_json_serialization", Value: "0"},
}

// OneThread keeps a question from taking cores that other requests need, and a read of a few granules from starting
// threads, which costs more than the read.
var OneThread = []ch.Setting{{Key: "max_threads", Value: "1"}}

// Background has a statement wait for those that answer requests where the server's cores are short. It is the niceness
// of its threads, and those of the views that it writes; a server that may not change it (no CAP_SYS_NICE) leaves it.
var Background = []ch.Setting{
	{Key: "os_threads_nice_value_query", Value: "10"},
	{Key: "os_threads_nice_value_materialized_view", Value: "10"},
}

// Job is Background with OneThread: what nobody waits for.
var Job = slices.Concat(Background, OneThread)

// PointRead reads rows as they lie by primary key: with one thread, all columns at once, and planned by the older,
// shorter analysis of queries.
var PointRead = slices.Concat(OneThread, []ch.Setting{
	{Key: "optimize_move_to_prewhere", Value: "0"},
	{Key: "enable_analyzer", Value: "0"},
})

// known are the pinned settings for a server that may not know them: it passes over those.
func known() []ch.Setting {
	all := slices.Clone(pinned)
	for i := range all {
		all[i].Important = false
	}
	return all
}

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
