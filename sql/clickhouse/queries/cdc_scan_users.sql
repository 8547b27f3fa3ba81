-- Which users do we have? A full scan, for a comparison with PostgreSQL.
SELECT toString(id) AS row_key, toInt64(0) AS first, toInt64(0) AS other, name AS text, false AS hidden, created_at
FROM users FINAL
