-- What our schema has of this person ($1: their key and its number): what they did as an operator, and what was done to
-- them. Each row as JSON, with its table.
SELECT 'admin_actions' AS place, to_jsonb(a)::text AS line
FROM feedrank.admin_actions a
WHERE who = ANY($1) OR target = ANY($1)
UNION ALL
SELECT 'ranking_versions', to_jsonb(v)::text
FROM feedrank.ranking_versions v
WHERE changed_by = ANY($1)
