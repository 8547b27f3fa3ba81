-- Which edges do viewers have of these kinds? A full scan, for a comparison with PostgreSQL.
SELECT row_key, viewer_id, toString(kind) AS kind, other_id
FROM viewer_edges FINAL
WHERE toString(kind) IN {kinds:Array(String)}
