-- Who does not want to see which post, by the app's own table. What clients send as events is in events.
CREATE TABLE IF NOT EXISTS hides (
    row_key      String,
    user_id      Int64,
    post_id      Int64,
    created_at   DateTime64(6, 'UTC'),
    version      UInt64,
    is_deleted   UInt8,
    lsn          UInt64,
    source_id    UInt64,
    committed_at DateTime64(3, 'UTC'),
    CONSTRAINT nobody_erased CHECK joinGet('erased_users', 'erased', user_id) = 0
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY row_key
SETTINGS index_granularity = 1024;

-- hide: viewer does not want to see the post other, whose id may be that of somebody who is erased.
ALTER TABLE viewer_edges MODIFY COLUMN kind Enum8('follow' = 1, 'block' = 2, 'blocked_by' = 3, 'mute' = 4, 'member' = 5, 'hide' = 6);
ALTER TABLE viewer_edges ADD CONSTRAINT IF NOT EXISTS no_one_erased CHECK joinGet('erased_users', 'erased', viewer_id) = 0 AND (kind IN ('member', 'hide') OR joinGet('erased_users', 'erased', other_id) = 0);
ALTER TABLE viewer_edges DROP CONSTRAINT IF EXISTS no_person_erased;
