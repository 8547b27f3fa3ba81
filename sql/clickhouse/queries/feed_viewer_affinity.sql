-- What did a user do with the posts of each author in 90 days, how many posts of theirs were hidden
-- in the last weeks, and viewed in the last day or two? A point read by the primary key.
SELECT
    author_id,
    sum(views) AS views,
    sum(clicks) AS clicks,
    sum(likes) AS likes,
    sum(comments) AS comments,
    sum(shares) AS shares,
    sum(hides) AS hides,
    sumIf(user_author_90d.hides, day > toDate(now('UTC')) - {days:UInt16}) AS hidden_lately,
    sumIf(user_author_90d.views, day >= toDate(now('UTC')) - 1) AS viewed_lately,
    toInt64(0) AS dislikes -- events tell of none
FROM user_author_90d
WHERE user_id = {viewer:Int64} AND day >= toDate(now('UTC')) - 90
GROUP BY author_id
ORDER BY hides > 0 DESC, likes + comments + shares DESC, views DESC, author_id
LIMIT {limit:UInt64}
