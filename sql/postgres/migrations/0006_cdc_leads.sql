-- Who reads the log. The number grows with every lead that is taken and never falls: each record carries it,
-- so that what a leader that was frozen writes after it woke is told from what its successor wrote.
CREATE TABLE IF NOT EXISTS feedrank.cdc_leads (
    source     text PRIMARY KEY, -- the replication slot
    number     bigint NOT NULL,
    taken_at   timestamptz NOT NULL DEFAULT now()
);
