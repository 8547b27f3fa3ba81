-- People who are erased: nothing that names them is taken any more, whoever writes it and however late
-- it comes. The constraints below look here, so a row is in force everywhere as soon as it is written.
-- Ids alone, for ever: topics may bring a person's records again as long as the app keeps them.
CREATE TABLE IF NOT EXISTS erased_users (
    user_id   Int64,
    erased    UInt8, -- always 1: joinGet answers 0 for everybody else
    erased_at DateTime64(3, 'UTC')
)
ENGINE = Join(ANY, LEFT, user_id)
SETTINGS join_use_nulls = 0, join_any_take_last_row = 0, max_rows_in_join = 0, max_bytes_in_join = 0, join_overflow_mode = 'throw';

-- How far each erasure is. One that was killed is begun and not finished.
CREATE TABLE IF NOT EXISTS erasures (
    user_id     Int64,
    begun_at    DateTime64(3, 'UTC'),
    finished_at DateTime64(3, 'UTC') -- 1970: not yet
)
ENGINE = ReplacingMergeTree(finished_at)
ORDER BY user_id;

-- Which offsets of the raw table were erased: an audit counts them as there. Kept for as long as the
-- raw table would have kept the rows, and a little longer. The day is that of the row: its counts are
-- to be recounted.
CREATE TABLE IF NOT EXISTS event_erasures (
    epoch           UInt16,
    kafka_partition UInt16,
    kafka_offset    Int64,
    day             Date,
    erased_at       DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (epoch, kafka_partition, kafka_offset)
TTL toDateTime(erased_at) + INTERVAL 45 DAY DELETE
SETTINGS index_granularity = 1024;

-- Records that were read and not stored, because who they name is erased. Part of the sum: rows +
-- duplicates + dead_letters + missing + lost + erased = last_offset - first_offset + 1.
ALTER TABLE event_ranges ADD COLUMN IF NOT EXISTS erased UInt64 AFTER lost;

ALTER TABLE events ADD CONSTRAINT IF NOT EXISTS nobody_erased CHECK joinGet('erased_users', 'erased', user_id) = 0 AND joinGet('erased_users', 'erased', author_id) = 0;
ALTER TABLE users ADD CONSTRAINT IF NOT EXISTS nobody_erased CHECK joinGet('erased_users', 'erased', id) = 0;
ALTER TABLE posts ADD CONSTRAINT IF NOT EXISTS nobody_erased CHECK joinGet('erased_users', 'erased', author_id) = 0;
ALTER TABLE follows ADD CONSTRAINT IF NOT EXISTS nobody_erased CHECK joinGet('erased_users', 'erased', follower_id) = 0 AND joinGet('erased_users', 'erased', followee_id) = 0;
ALTER TABLE comments ADD CONSTRAINT IF NOT EXISTS nobody_erased CHECK joinGet('erased_users', 'erased', author_id) = 0;
ALTER TABLE likes ADD CONSTRAINT IF NOT EXISTS nobody_erased CHECK joinGet('erased_users', 'erased', user_id) = 0;
ALTER TABLE blocks ADD CONSTRAINT IF NOT EXISTS nobody_erased CHECK joinGet('erased_users', 'erased', user_id) = 0 AND joinGet('erased_users', 'erased', other_id) = 0;
ALTER TABLE viewer_edges ADD CONSTRAINT IF NOT EXISTS nobody_erased CHECK joinGet('erased_users', 'erased', viewer_id) = 0 AND joinGet('erased_users', 'erased', other_id) = 0;
