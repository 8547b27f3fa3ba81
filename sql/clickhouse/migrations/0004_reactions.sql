-- Likes and comments as the app's own tables have them, in the orders that counting asks for: for
-- engagement.likes_from and engagement.comments_from: cdc. Copies of likes and comments, kept by the
-- server with every write to those: so a repeat and a late delete leave the same rows. A truncate sweeps
-- each by itself: a key may have been used again before the truncate is heard of. Not partitioned,
-- because a snapshot brings rows of many years at once; of those only the last months are kept.
-- Hours and days are narrower types than the time of a row: what is beyond 2105 stands there, so that neither
-- they nor the end of their TTL wrap to a day that counts.

-- By hour: what was liked and commented since ...? A post is no part of the key: a comment may move.
CREATE TABLE IF NOT EXISTS reactions_by_hour (
    kind         Enum8('like' = 1, 'comment' = 2),
    hour         DateTime('UTC'),
    row_key      String,
    post_id      Int64,
    user_id      Int64,
    version      UInt64,
    is_deleted   UInt8,
    lsn          UInt64, -- with source_id and committed_at: a truncate takes what was before it
    source_id    UInt64,
    committed_at DateTime64(3, 'UTC'),
    written_at   DateTime('UTC') MATERIALIZED now('UTC') -- what was written lately?
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (kind, hour, row_key)
TTL hour + INTERVAL 90 DAY DELETE
SETTINGS index_granularity = 1024;

-- By user: affinity is a point read.
CREATE TABLE IF NOT EXISTS reactions_by_user (
    user_id      Int64,
    kind         Enum8('like' = 1, 'comment' = 2),
    row_key      String,
    post_id      Int64,
    day          Date,
    version      UInt64,
    is_deleted   UInt8,
    lsn          UInt64,
    source_id    UInt64,
    committed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (user_id, kind, row_key)
TTL day + INTERVAL 120 DAY DELETE
SETTINGS index_granularity = 512;

CREATE MATERIALIZED VIEW IF NOT EXISTS likes_by_hour_mv TO reactions_by_hour AS
SELECT 'like' AS kind, toStartOfHour(toDateTime(least(counted_at, fromUnixTimestamp64Micro(4260211200000000, 'UTC')), 'UTC')) AS hour, row_key, post_id, user_id, version, is_deleted, lsn, source_id, committed_at
FROM likes
WHERE counted_at > now('UTC') - INTERVAL 90 DAY;

CREATE MATERIALIZED VIEW IF NOT EXISTS comments_by_hour_mv TO reactions_by_hour AS
SELECT 'comment' AS kind, toStartOfHour(toDateTime(least(counted_at, fromUnixTimestamp64Micro(4260211200000000, 'UTC')), 'UTC')) AS hour, row_key, post_id, author_id AS user_id, version, is_deleted, lsn, source_id, committed_at
FROM comments
WHERE counted_at > now('UTC') - INTERVAL 90 DAY;

CREATE MATERIALIZED VIEW IF NOT EXISTS likes_by_user_mv TO reactions_by_user AS
SELECT user_id, 'like' AS kind, row_key, post_id, toDate(least(counted_at, fromUnixTimestamp64Micro(4260211200000000, 'UTC'))) AS day, version, is_deleted, lsn, source_id, committed_at
FROM likes
WHERE counted_at > now('UTC') - INTERVAL 120 DAY;

CREATE MATERIALIZED VIEW IF NOT EXISTS comments_by_user_mv TO reactions_by_user AS
SELECT author_id AS user_id, 'comment' AS kind, row_key, post_id, toDate(least(counted_at, fromUnixTimestamp64Micro(4260211200000000, 'UTC'))) AS day, version, is_deleted, lsn, source_id, committed_at
FROM comments
WHERE counted_at > now('UTC') - INTERVAL 120 DAY;

-- What was there before. A row that is written meanwhile comes twice under one version: once.
INSERT INTO reactions_by_hour
SELECT 'like' AS kind, toStartOfHour(toDateTime(least(counted_at, fromUnixTimestamp64Micro(4260211200000000, 'UTC')), 'UTC')) AS hour, row_key, post_id, user_id, version, is_deleted, lsn, source_id, committed_at
FROM likes FINAL
WHERE counted_at > now('UTC') - INTERVAL 90 DAY
UNION ALL
SELECT 'comment' AS kind, toStartOfHour(toDateTime(least(counted_at, fromUnixTimestamp64Micro(4260211200000000, 'UTC')), 'UTC')) AS hour, row_key, post_id, author_id, version, is_deleted, lsn, source_id, committed_at
FROM comments FINAL
WHERE counted_at > now('UTC') - INTERVAL 90 DAY;

INSERT INTO reactions_by_user
SELECT user_id, 'like' AS kind, row_key, post_id, toDate(least(counted_at, fromUnixTimestamp64Micro(4260211200000000, 'UTC'))) AS day, version, is_deleted, lsn, source_id, committed_at
FROM likes FINAL
WHERE counted_at > now('UTC') - INTERVAL 120 DAY
UNION ALL
SELECT author_id, 'comment' AS kind, row_key, post_id, toDate(least(counted_at, fromUnixTimestamp64Micro(4260211200000000, 'UTC'))) AS day, version, is_deleted, lsn, source_id, committed_at
FROM comments FINAL
WHERE counted_at > now('UTC') - INTERVAL 120 DAY;

-- Engagement as it counts: likes and comments each from one source, never from both.
CREATE VIEW IF NOT EXISTS post_engagement_1h AS
SELECT hour, post_id, toInt64(exposures) AS exposures,
    if({likes_from:String} = 'cdc', 0, toInt64(likes)) AS likes,
    if({comments_from:String} = 'cdc', 0, toInt64(comments)) AS comments,
    toInt64(shares) AS shares
FROM post_metrics_1h
UNION ALL
SELECT hour, post_id, toInt64(0) AS exposures, toInt64(kind = 'like') AS likes, toInt64(kind = 'comment') AS comments, toInt64(0) AS shares
FROM reactions_by_hour FINAL
WHERE ((kind = 'like' AND {likes_from:String} = 'cdc') OR (kind = 'comment' AND {comments_from:String} = 'cdc'))
    AND hour <= now('UTC') + 3600; -- what is dated ahead does not count before its hour
