-- How far a comparison of the app's tables with their copies came: one that is killed goes on there.
CREATE TABLE IF NOT EXISTS feedrank.cdc_resync (
    name       text PRIMARY KEY, -- who compares: the job, or the command
    state      jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
