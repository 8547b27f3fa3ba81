-- Everything of ours in the app's database lives in this schema.
CREATE SCHEMA IF NOT EXISTS feedrank;

-- Where the built-in CDC source stands: one row for each table's snapshot.
CREATE TABLE IF NOT EXISTS feedrank.cdc_snapshots (
    source      text NOT NULL,        -- the replication slot
    table_name  text NOT NULL,        -- schema.table
    last_key    text,                 -- the primary key up to which rows are in Kafka, as a JSON array of texts; null: none yet
    sweep_lsn   pg_lsn NOT NULL,      -- what the copy has from before and the snapshot does not bring is gone
    sweep_at    timestamptz NOT NULL, -- when the log was there: no truncate after it is dated before
    done        boolean NOT NULL DEFAULT false,
    waits       boolean NOT NULL DEFAULT false, -- not to be read yet: the log must first be followed up to where the table was published
    lost        boolean NOT NULL DEFAULT false, -- changes were lost: it is read anew once what was in the way is mended
    relation    oid NOT NULL DEFAULT 0,         -- the table that was read: one of the same name may have taken its place
    publication oid NOT NULL DEFAULT 0,         -- that it was published by
    key_columns text NOT NULL DEFAULT '',       -- that rows are told apart by
    partitions  text NOT NULL DEFAULT '',       -- with the files that they lie in: a truncate of one of them is not in the log
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, table_name)
);

-- Written now and then, so that an idle database moves its log on and the slot holds nothing back.
CREATE TABLE IF NOT EXISTS feedrank.heartbeat (
    source     text PRIMARY KEY,
    beat_at    timestamptz NOT NULL
);
