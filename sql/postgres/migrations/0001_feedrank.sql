-- Everything of ours in the app's database lives in this schema.
CREATE SCHEMA IF NOT EXISTS feedrank;

-- Where the built-in CDC source stands: one row for each table's snapshot.
CREATE TABLE IF NOT EXISTS feedrank.cdc_snapshots (
    source      text NOT NULL,        -- the replication slot
    table_name  text NOT NULL,        -- schema.table
    last_key    text,                 -- the primary key up to which rows are in Kafka, as a JSON array of texts; null: none yet
    sweep_lsn   pg_lsn NOT NULL,      -- what the copy has from before and the snapshot does not bring is gone
    done        boolean NOT NULL DEFAULT false,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, table_name)
);

-- Written now and then, so that an idle database moves its log on and the slot holds nothing back.
CREATE TABLE IF NOT EXISTS feedrank.heartbeat (
    source     text PRIMARY KEY,
    beat_at    timestamptz NOT NULL
);
