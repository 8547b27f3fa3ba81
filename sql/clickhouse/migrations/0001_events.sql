-- The ledger of events: what was read from Kafka, by whom, and what the views made of it.

-- Who may write a Kafka partition. A fence is taken once and for all: the first row of a fence wins
-- (ANY), and the next fence is the last one plus one. So whoever holds fence n knows that nobody else
-- does, and has lost it as soon as n + 1 is taken, however late a claim arrives.
-- fence = epoch << 48 | kafka_partition << 32 | a number that counts from 1: see events.NewFence.
CREATE TABLE IF NOT EXISTS partition_owners (
    fence      UInt64,
    token      UInt64, -- random, never 0: tells two claimants of one fence apart
    owner      String,
    claimed_at DateTime64(3, 'UTC')
)
ENGINE = Join(ANY, LEFT, fence)
SETTINGS join_use_nulls = 0, join_any_take_last_row = 0, max_rows_in_join = 0, max_bytes_in_join = 0, join_overflow_mode = 'throw';

-- Every event once, with the position it was read from. The constraint is the fence: no server
-- accepts a row from a writer that holds no fence, or whose fence was followed by another.
-- A duplicate is looked up by primary key; offsets beyond the last range are found by the skip index,
-- whatever day their events are of: every older granule ends below them.
CREATE TABLE IF NOT EXISTS events (
    kafka_partition UInt16,
    user_id         Int64,
    event_id        UUID,
    post_id         Int64,
    author_id       Int64,
    action          Enum8('impression' = 1, 'view' = 2, 'click' = 3, 'like' = 4, 'unlike' = 5, 'comment' = 6,
                          'share' = 7, 'dwell' = 8, 'hide' = 9, 'not_interested' = 10, 'unhide' = 11),
    occurred_at     DateTime64(3, 'UTC'),
    received_at     DateTime64(3, 'UTC'),
    dwell_ms        UInt32,
    device          LowCardinality(String),
    app_version     LowCardinality(String),
    feed_session    String,
    epoch           UInt16,
    kafka_offset    Int64,
    fence           UInt64,
    token           UInt64,
    -- What the event adds to what is counted, decided once by the owner: a reaction that changes nothing
    -- adds 0, one that is taken back -1. verdict says why. author_id is that of the post's own record;
    -- 0 while there is none: unresolved. See the package events.
    effect          Int8 DEFAULT if(action = 'unlike', -1, 1),
    verdict         Enum8('counted' = 0, 'repeated' = 1, 'own' = 2, 'not_visible' = 3, 'not_served' = 4, 'unresolved' = 5),
    INDEX kafka_offset kafka_offset TYPE minmax GRANULARITY 16,
    CONSTRAINT fenced CHECK joinGet('partition_owners', 'token', fence) = token AND joinGet('partition_owners', 'token', fence + 1) = 0,
    CONSTRAINT fence_is_of_partition CHECK bitShiftRight(fence, 32) = bitShiftLeft(toUInt64(epoch), 16) + kafka_partition
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(occurred_at)
ORDER BY (kafka_partition, user_id, event_id)
TTL toDateTime(occurred_at) + INTERVAL 30 DAY DELETE
SETTINGS index_granularity = 2048, ttl_only_drop_parts = 1;

-- One row for each range of offsets that was applied. Ranges of a partition follow each other without
-- a gap, and rows + duplicates + dead_letters + missing + lost = last_offset - first_offset + 1.
-- Read by primary key, last row first.
CREATE TABLE IF NOT EXISTS event_ranges (
    epoch           UInt16,
    kafka_partition UInt16,
    first_offset    Int64,
    last_offset     Int64,
    rows            UInt64, -- events in the raw table
    duplicates      UInt64, -- of an event that the raw table has
    dead_letters    UInt64, -- records that are no event
    missing         UInt64, -- offsets without a record, as transactions and compaction leave them
    lost            UInt64, -- offsets that Kafka had deleted before they were read, and an operator accepted that
    fence           UInt64,
    token           UInt64,
    applied_at      DateTime64(3, 'UTC'),
    CONSTRAINT fenced CHECK joinGet('partition_owners', 'token', fence) = token AND joinGet('partition_owners', 'token', fence + 1) = 0
)
ENGINE = MergeTree
ORDER BY (epoch, kafka_partition, last_offset)
TTL toDateTime(applied_at) + INTERVAL 90 DAY DELETE
SETTINGS index_granularity = 256;

-- How many partitions the topic of an epoch has. Copies of one event meet in one partition only as
-- long as this never changes.
CREATE TABLE IF NOT EXISTS event_epochs (
    epoch      UInt16,
    topic      String,
    partitions UInt16,
    created_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (epoch, created_at);

-- What people did with a post in an hour, and who of them by Kafka partition: so each row has one
-- writer, who can recount it. Every value is a signed count, so that a difference can be added.
-- Ordered by hour first: the feed reads "everything since ...", and of it what was written lately, whoever
-- wrote it. dwell counts the dwell events by the bucket of their duration, 4 buckets for each doubling:
-- see events.DwellBucket.
-- Not a SummingMergeTree: that drops rows whose counts add up to zero even if their maps do not.
CREATE TABLE IF NOT EXISTS post_metrics_1h (
    hour            DateTime('UTC'),
    post_id         Int64,
    kafka_partition UInt16,
    author_id       Int64,
    exposures       SimpleAggregateFunction(sum, Int64),
    views           SimpleAggregateFunction(sum, Int64),
    clicks          SimpleAggregateFunction(sum, Int64),
    likes           SimpleAggregateFunction(sum, Int64),
    comments        SimpleAggregateFunction(sum, Int64),
    shares          SimpleAggregateFunction(sum, Int64),
    hides           SimpleAggregateFunction(sum, Int64),
    dwell           SimpleAggregateFunction(sumMap, Map(UInt8, Int64)),
    written_at      SimpleAggregateFunction(max, DateTime('UTC')) MATERIALIZED now('UTC')
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMMDD(hour)
ORDER BY (hour, post_id, kafka_partition, author_id)
TTL hour + INTERVAL 90 DAY DELETE
SETTINGS ttl_only_drop_parts = 1;

-- What a user did with an author's posts on a day. Ordered by user: affinity is a point read. Parts are
-- compact however large they grow: all columns of a granule lie side by side in one file, so that a point
-- read opens one file and not ten. A scan of a few columns costs more: only jobs do that.
CREATE TABLE IF NOT EXISTS user_author_90d (
    user_id         Int64,
    author_id       Int64,
    day             Date,
    kafka_partition UInt16,
    views           SimpleAggregateFunction(sum, Int64),
    clicks          SimpleAggregateFunction(sum, Int64),
    likes           SimpleAggregateFunction(sum, Int64),
    comments        SimpleAggregateFunction(sum, Int64),
    shares          SimpleAggregateFunction(sum, Int64),
    hides           SimpleAggregateFunction(sum, Int64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (user_id, author_id, day, kafka_partition)
TTL day + INTERVAL 120 DAY DELETE
SETTINGS index_granularity = 512, min_bytes_for_wide_part = 1000000000000;

-- What others ask of the owner of a Kafka partition, who alone may change what belongs to it:
-- reconcile: make the views of some days equal to the raw table; quarantine: send records that
-- ClickHouse refuses to the dead letters.
CREATE TABLE IF NOT EXISTS event_requests (
    id              UUID,
    kind            Enum8('reconcile' = 1, 'quarantine' = 2),
    epoch           UInt16,
    kafka_partition UInt16,
    first_day       Date,
    last_day        Date,
    first_offset    Int64,
    last_offset     Int64,
    requested_at    DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (epoch, kafka_partition, requested_at)
TTL toDateTime(requested_at) + INTERVAL 7 DAY DELETE
SETTINGS index_granularity = 256;

-- What the owner has done about it. The first answer to a request counts.
CREATE TABLE IF NOT EXISTS event_answers (
    id              UUID,
    epoch           UInt16,
    kafka_partition UInt16,
    changed         UInt64, -- buckets put right, or records quarantined
    answered_at     DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (epoch, kafka_partition, answered_at)
TTL toDateTime(answered_at) + INTERVAL 7 DAY DELETE
SETTINGS index_granularity = 256;
