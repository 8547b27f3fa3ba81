-- Which users do we have? A range of their ids, by primary key, for a comparison with PostgreSQL.
SELECT toString(id) AS row_key, toInt64(0) AS first, toInt64(0) AS other, hidden AS hidden, toUInt8(if(private, 2, 0)) AS audience, created_at,
       no_discovery
FROM users FINAL
WHERE id > {after:Int64} AND id <= {upto:Int64}
