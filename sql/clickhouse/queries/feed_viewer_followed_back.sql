-- Which of these authors, whom the viewer follows, follow the viewer? A point read by the primary key for each of them.
-- Asked only where posts may be for mutuals.
SELECT DISTINCT author_id
FROM
(
    SELECT viewer_id AS author_id, argMax(is_deleted, version) = 0 AS alive
    FROM viewer_edges
    WHERE viewer_id IN {authors:Array(Int64)} AND kind = 'follow' AND other_id = {viewer:Int64}
    GROUP BY viewer_id, row_key
)
WHERE alive
