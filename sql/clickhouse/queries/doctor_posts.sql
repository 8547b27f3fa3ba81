-- How many posts are younger than the window of the hot set, and would be in it?
SELECT toUInt64(count()) AS posts
FROM posts FINAL
WHERE created_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') AND NOT hidden AND audience != 4
SETTINGS use_skip_indexes_if_final = 1, use_skip_indexes_if_final_exact_mode = 1
