-- The app's keys that are no integers within 62 bits, with the numbers by which all other tables know them. Each row is
-- a claim: 0 claimed, 1 held, 2 withdrawn; of a claim the highest holds. Of a number one text is held at most: see
-- modules/keys. Numbers are spread at random, so granules are small.
CREATE TABLE IF NOT EXISTS keys (
    id    Int64,
    key   String,
    claim UInt64, -- of one try of one consumer, at random
    state UInt8
)
ENGINE = ReplacingMergeTree(state)
ORDER BY (id, key, claim)
SETTINGS index_granularity = 512;
