-- Whose posts do these people like, comment and share, and how many of them do? Ranges of the primary
-- key, one for each of the seeds; of each seed the authors they did most with. Bounded as
-- suggest_followed is.
SELECT author_id AS candidate, count() AS people, groupArray(3)(user_id) AS some, sum(weight) AS done
FROM
(
    SELECT user_id, author_id, sum(likes) + 2 * sum(comments) + 3 * sum(shares) - 5 * sum(hides) AS weight
    FROM user_author_90d
    WHERE user_id IN {seeds:Array(Int64)} AND day >= today() - 90
    GROUP BY user_id, author_id
    HAVING weight > 0
    ORDER BY user_id, weight DESC
    LIMIT {per_seed:UInt64} BY user_id
)
GROUP BY candidate
ORDER BY people DESC, done DESC, candidate
LIMIT {limit:UInt64}
