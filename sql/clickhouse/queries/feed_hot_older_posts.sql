-- Which are the newest posts before the hot set's window? For a site where little is posted. Reads
-- id, created_at and flags of the whole table, at a replica's start and now and then.
SELECT id, author_id, created_at, audience, group_id, labels
FROM posts FINAL
WHERE created_at < fromUnixTimestamp64Micro({before:Int64}, 'UTC') AND NOT hidden AND audience != 4
ORDER BY created_at DESC, id DESC
LIMIT {limit:UInt64}
