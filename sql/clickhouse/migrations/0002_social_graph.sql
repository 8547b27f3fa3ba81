-- Copies of the app's tables. The version is the order of the log (topic epoch and offset), so that
-- the last record of a key wins and a replay changes nothing; its lowest byte orders what we derive
-- from one record (a truncate, a repair). lsn, source_id and committed_at say when the row was
-- written in PostgreSQL: they decide what a truncate takes with it, and nothing else.
-- What people wrote is not copied, nor how they are called: nothing reads it here.

CREATE TABLE IF NOT EXISTS users (
    id           Int64,
    created_at   DateTime64(6, 'UTC'),
    version      UInt64,
    is_deleted   UInt8,
    lsn          UInt64,
    source_id    UInt64,
    committed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY id
SETTINGS index_granularity = 1024;

-- Hidden posts (soft-deleted, or with a status that means so) stay, marked: they may come back.
CREATE TABLE IF NOT EXISTS posts (
    id           Int64,
    author_id    Int64,
    hidden       Bool,
    created_at   DateTime64(6, 'UTC'),
    version      UInt64,
    is_deleted   UInt8,
    lsn          UInt64,
    source_id    UInt64,
    committed_at DateTime64(3, 'UTC'),
    INDEX created created_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY id
SETTINGS index_granularity = 1024;

-- Rows that join two things are kept by the app's primary key, in its text form: a delete tells no
-- more than that.
CREATE TABLE IF NOT EXISTS follows (
    row_key      String,
    follower_id  Int64,
    followee_id  Int64,
    created_at   DateTime64(6, 'UTC'),
    version      UInt64,
    is_deleted   UInt8,
    lsn          UInt64,
    source_id    UInt64,
    committed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY row_key
SETTINGS index_granularity = 1024;

CREATE TABLE IF NOT EXISTS comments (
    row_key      String,
    author_id    Int64,
    post_id      Int64,
    created_at   DateTime64(6, 'UTC'),
    counted_at   DateTime64(6, 'UTC') DEFAULT created_at, -- or when it arrived where that is dated ahead
    version      UInt64,
    is_deleted   UInt8,
    lsn          UInt64,
    source_id    UInt64,
    committed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY row_key
SETTINGS index_granularity = 1024;

CREATE TABLE IF NOT EXISTS likes (
    row_key      String,
    user_id      Int64,
    post_id      Int64,
    created_at   DateTime64(6, 'UTC'),
    counted_at   DateTime64(6, 'UTC') DEFAULT created_at, -- or when it arrived where that is dated ahead
    version      UInt64,
    is_deleted   UInt8,
    lsn          UInt64,
    source_id    UInt64,
    committed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY row_key
SETTINGS index_granularity = 1024;

-- Blocks and mutes; kind says which.
CREATE TABLE IF NOT EXISTS blocks (
    kind         Enum8('block' = 1, 'mute' = 2),
    row_key      String,
    user_id      Int64, -- who blocks or mutes
    other_id     Int64, -- whom
    created_at   DateTime64(6, 'UTC'),
    version      UInt64,
    is_deleted   UInt8,
    lsn          UInt64,
    source_id    UInt64,
    committed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (kind, row_key)
SETTINGS index_granularity = 1024;

-- The same, as the feed asks: one viewer's edges side by side. Kept by the CDC consumer, from the
-- rows above. follow: viewer follows other. block: viewer blocks other. blocked_by: other blocks
-- viewer. mute: viewer mutes other. Parts are compact for point reads, as those of user_author_90d are.
CREATE TABLE IF NOT EXISTS viewer_edges (
    viewer_id    Int64,
    kind         Enum8('follow' = 1, 'block' = 2, 'blocked_by' = 3, 'mute' = 4),
    other_id     Int64,
    row_key      String,
    created_at   DateTime64(6, 'UTC'),
    version      UInt64,
    is_deleted   UInt8,
    lsn          UInt64,
    source_id    UInt64,
    committed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (viewer_id, kind, other_id, row_key)
SETTINGS index_granularity = 512, min_bytes_for_wide_part = 1000000000000;

-- The lives of a topic. A topic that was made anew, or whose partitions grew, begins an epoch: from
-- starts[partition + 1] on its records are above all that were before. The first row of an epoch holds.
CREATE TABLE IF NOT EXISTS cdc_epochs (
    topic      String,
    epoch      UInt16,
    topic_id   String,
    starts     Array(Int64),
    claimed_at DateTime64(6, 'UTC'),
    claim      UUID
)
ENGINE = MergeTree
ORDER BY (topic, epoch, claimed_at, claim);

-- Truncates, remembered: what was written before one dies, also if it arrives later through another
-- partition.
CREATE TABLE IF NOT EXISTS cdc_truncates (
    topic        String,
    source_id    UInt64,
    lsn          UInt64,
    committed_at DateTime64(3, 'UTC'),
    seen_at      DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(seen_at)
ORDER BY (topic, source_id, lsn, committed_at);
