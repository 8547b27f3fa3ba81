-- Which edges do viewers have of these rows? A full scan of the keys, for a few rows that differ.
SELECT row_key, viewer_id, toString(kind) AS kind, other_id
FROM viewer_edges FINAL
WHERE toString(kind) IN {kinds:Array(String)} AND row_key IN {keys:Array(String)}
