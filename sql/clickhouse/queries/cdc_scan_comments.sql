-- Which comments do we have? A full scan, for a comparison with PostgreSQL.
SELECT row_key AS row_key, author_id AS first, post_id AS other, '' AS text, false AS hidden, created_at
FROM comments FINAL
