-- Whom does each of these people follow, and whose posts do they like, comment and share? Follows have no
-- weight. Ranges of the primary keys, one for each person; of each the newest follows, and the authors they
-- did most with. It reads so many rows at most as its settings say, and then makes do with them: somebody
-- who follows a million people costs no more than that. A pair with several rows in the app counts by the
-- latest.
SELECT viewer_id AS person, other_id AS other, toInt64(0) AS weight
FROM viewer_edges
WHERE viewer_id IN {people:Array(Int64)} AND kind = 'follow'
GROUP BY viewer_id, other_id
HAVING argMax(is_deleted, version) = 0
ORDER BY viewer_id, max(created_at) DESC
LIMIT {per_seed:UInt64} BY viewer_id
UNION ALL
SELECT user_id AS person, author_id AS other, sum(likes) + 2 * sum(comments) + 3 * sum(shares) - 5 * sum(hides) AS weight
FROM user_author_90d
WHERE user_id IN {people:Array(Int64)} AND day >= toDate(now('UTC')) - 90
GROUP BY user_id, author_id
HAVING weight > 0
ORDER BY user_id, weight DESC
LIMIT {per_seed:UInt64} BY user_id
