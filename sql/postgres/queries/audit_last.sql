-- The last report.
SELECT report FROM feedrank.audit_runs ORDER BY id DESC LIMIT 1
