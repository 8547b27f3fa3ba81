-- Which follows do we have? A full scan, for a comparison with PostgreSQL.
SELECT row_key AS row_key, follower_id AS first, followee_id AS other, '' AS text, false AS hidden, created_at
FROM follows FINAL
