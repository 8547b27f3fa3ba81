-- The versions of the ranking that were put in force at run time. The highest is in force; version 0
-- is the configuration file's. Rows are never changed: they are the audit of who changed what.
CREATE TABLE IF NOT EXISTS feedrank.ranking_versions (
    version    bigint PRIMARY KEY CHECK (version > 0),
    config     jsonb NOT NULL,
    changed_by text NOT NULL,
    note       text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
