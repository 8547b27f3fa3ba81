-- Who runs the jobs. The number grows with every lead that is taken and never falls: it is the fence
-- that publishers compare, so that a leader that was paused and wakes changes nothing.
CREATE TABLE IF NOT EXISTS feedrank.job_lead (
    name     text PRIMARY KEY,
    number   bigint NOT NULL CHECK (number > 0),
    holder   text NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now()
);

-- The jobs that the last leader had, and what operators ask of them.
CREATE TABLE IF NOT EXISTS feedrank.jobs (
    name         text PRIMARY KEY,
    every        interval NOT NULL,
    timeout      interval NOT NULL,
    lead         bigint NOT NULL,     -- of the leader that said so
    requested_at timestamptz          -- somebody wants a run now; null: nobody does
);

-- What ran. Of each job the last runs are kept: jobs.history.
CREATE TABLE IF NOT EXISTS feedrank.job_runs (
    id          bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    job         text NOT NULL,
    lead        bigint NOT NULL,
    cause       text NOT NULL,        -- schedule or request
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,          -- null: runs still, or its leader died
    outcome     text NOT NULL DEFAULT 'running',
    detail      text NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS job_runs_job ON feedrank.job_runs (job, id DESC);
