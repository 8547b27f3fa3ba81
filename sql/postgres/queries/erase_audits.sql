-- Takes people ($1: their ids, joined by |) out of what audits found. A hundred reports at most.
UPDATE feedrank.audit_runs
SET report = regexp_replace(report::text, '\m(user|author) (' || $1 || ')\M', '\1 (erased)', 'g')::jsonb
WHERE report::text ~ ('\m(user|author) (' || $1 || ')\M')
