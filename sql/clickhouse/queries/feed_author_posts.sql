-- Which young posts do some authors and some groups have? For a replica whose hot set is cold. Reads the granules
-- whose minmax index of created_at reaches into the window, as feed_hot_posts does.
SELECT id, author_id, created_at, audience, group_id, labels
FROM posts FINAL
WHERE created_at >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') AND (author_id IN {authors:Array(Int64)} OR group_id IN {groups:Array(Int64)}) AND NOT hidden AND audience != 4
ORDER BY created_at DESC, id DESC
LIMIT {limit:UInt64}
SETTINGS use_skip_indexes_if_final = 1, use_skip_indexes_if_final_exact_mode = 1
