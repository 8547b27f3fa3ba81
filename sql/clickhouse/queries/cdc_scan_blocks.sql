-- Which blocks do we have? A full scan, for a comparison with PostgreSQL.
SELECT row_key AS row_key, user_id AS first, other_id AS other, '' AS text, false AS hidden, created_at
FROM blocks FINAL
WHERE kind = 'block'
