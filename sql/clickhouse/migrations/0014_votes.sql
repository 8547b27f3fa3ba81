-- Votes: how many likes a row is, or dislikes where it is below 0. What writes no value, as a binary of before, writes
-- likes. A vote is a state: a row that changes from 1 to -1 stands in the place where it stood.
ALTER TABLE likes ADD COLUMN IF NOT EXISTS value Int8 DEFAULT 1 AFTER counted_at;
ALTER TABLE reactions_by_hour ADD COLUMN IF NOT EXISTS value Int8 DEFAULT 1 AFTER user_id;
ALTER TABLE reactions_by_user ADD COLUMN IF NOT EXISTS value Int8 DEFAULT 1 AFTER post_id;

ALTER TABLE likes_by_hour_mv MODIFY QUERY
SELECT 'like' AS kind, toStartOfHour(toDateTime(least(counted_at, fromUnixTimestamp64Micro(4260211200000000, 'UTC')), 'UTC')) AS hour, row_key, post_id, user_id, value, version, is_deleted, lsn, source_id, committed_at
FROM likes
WHERE counted_at > now('UTC') - INTERVAL 90 DAY;

ALTER TABLE likes_by_user_mv MODIFY QUERY
SELECT user_id, 'like' AS kind, row_key, post_id, value, toDate(least(counted_at, fromUnixTimestamp64Micro(4260211200000000, 'UTC'))) AS day, version, is_deleted, lsn, source_id, committed_at
FROM likes
WHERE counted_at > now('UTC') - INTERVAL 120 DAY;

-- Engagement as it counts, in the place of post_engagement_1h, which binaries of before ask: likes and dislikes by what
-- they are worth, likers by their number. Events tell of no dislikes.
CREATE VIEW IF NOT EXISTS post_votes_1h AS
SELECT hour, post_id, toInt64(exposures) AS exposures,
    if({likes_from:String} = 'cdc', 0, toInt64(likes)) AS likes,
    if({comments_from:String} = 'cdc', 0, toInt64(comments)) AS comments,
    toInt64(shares) AS shares,
    toInt64(0) AS dislikes,
    if({likes_from:String} = 'cdc', 0, toInt64(likes)) AS likers
FROM post_metrics_1h
UNION ALL
SELECT hour, post_id, toInt64(0) AS exposures, if(kind = 'like', toInt64(greatest(value, 0)), 0) AS likes,
    toInt64(kind = 'comment') AS comments, toInt64(0) AS shares, if(kind = 'like', toInt64(greatest(-value, 0)), 0) AS dislikes,
    toInt64(kind = 'like' AND value > 0) AS likers
FROM reactions_by_hour FINAL
WHERE ((kind = 'like' AND {likes_from:String} = 'cdc') OR (kind = 'comment' AND {comments_from:String} = 'cdc'))
    AND hour <= now('UTC') + 3600; -- what is dated ahead does not count before its hour
