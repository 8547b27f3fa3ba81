-- Whom do these people block, and who blocks them? Ranges of the primary key, one for each person.
SELECT viewer_id, other_id
FROM viewer_edges FINAL
WHERE viewer_id IN {users:Array(Int64)} AND kind IN ('block', 'blocked_by')
