-- Which posts are young? For the hot set, in bulk. Reads the granules whose minmax index of
-- created_at reaches into the window; the exact mode adds those that may hold a newer version of the
-- same post, such as a delete, whose created_at may be anything.
SELECT id, author_id, created_at, audience, group_id, labels
FROM posts FINAL
WHERE created_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') AND NOT hidden AND audience != 4
ORDER BY created_at DESC, id DESC
LIMIT {limit:UInt64}
SETTINGS use_skip_indexes_if_final = 1, use_skip_indexes_if_final_exact_mode = 1
