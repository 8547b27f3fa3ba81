-- Which posts do we have? A range of their ids, by primary key, for a comparison with PostgreSQL.
SELECT toString(id) AS row_key, author_id AS first, group_id AS other, hidden AS hidden, audience, created_at, labels
FROM posts FINAL
WHERE id > {after:Int64} AND id <= {upto:Int64}
