-- What the audits of the events path found. The last hundred are kept.
CREATE TABLE IF NOT EXISTS feedrank.audit_runs (
    id          bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    finished_at timestamptz NOT NULL DEFAULT now(),
    report      jsonb NOT NULL
);
