-- Whom do these people follow, and how many of them? Ranges of the primary key, one for each of the
-- seeds; of each seed the newest follows. It reads so many rows at most as its settings say, and then
-- makes do with them: somebody who follows a million people costs no more than that. A pair with
-- several rows in the app counts by the latest.
SELECT other_id AS candidate, count() AS people, groupArray(3)(viewer_id) AS some, toInt64(0) AS done
FROM
(
    SELECT viewer_id, other_id
    FROM viewer_edges
    WHERE viewer_id IN {seeds:Array(Int64)} AND kind = 'follow'
    GROUP BY viewer_id, other_id
    HAVING argMax(is_deleted, version) = 0
    ORDER BY viewer_id, max(created_at) DESC
    LIMIT {per_seed:UInt64} BY viewer_id
)
GROUP BY candidate
ORDER BY people DESC, candidate
LIMIT {limit:UInt64}
