-- Keeps a report, and the hundred before it.
WITH saved AS (
    INSERT INTO feedrank.audit_runs (report) VALUES ($1) RETURNING id
)
DELETE FROM feedrank.audit_runs WHERE id <= (SELECT id FROM saved) - 100
