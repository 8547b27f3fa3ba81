-- What did a user do with the posts of each author in 90 days, how many posts of theirs were hidden in
-- the last weeks, and viewed in the last day or two? Likes and comments count from the source that is
-- configured: see 0004_reactions.sql; those of a post that is gone no longer. Point reads by the
-- primary key, and one of the posts for their authors.
WITH reacted AS (
    SELECT post_id, kind, value
    FROM reactions_by_user FINAL
    WHERE user_id = {viewer:Int64} AND day >= toDate(now('UTC')) - 90
        AND day <= toDate(now('UTC')) + 1 -- what is dated ahead does not count yet
        AND ((kind = 'like' AND {likes_from:String} = 'cdc') OR (kind = 'comment' AND {comments_from:String} = 'cdc'))
)
SELECT
    author_id,
    sum(viewed) AS views,
    sum(clicked) AS clicks,
    sum(liked) AS likes,
    sum(commented) AS comments,
    sum(shared) AS shares,
    sum(hid) AS hides,
    sum(hid_lately) AS hidden_lately,
    sum(seen_lately) AS viewed_lately,
    sum(against) AS dislikes
FROM (
    SELECT
        author_id, toInt64(views) AS viewed, toInt64(clicks) AS clicked,
        if({likes_from:String} = 'cdc', 0, toInt64(likes)) AS liked,
        if({comments_from:String} = 'cdc', 0, toInt64(comments)) AS commented,
        toInt64(shares) AS shared, toInt64(hides) AS hid,
        if(day > toDate(now('UTC')) - {days:UInt16}, hid, 0) AS hid_lately, if(day >= toDate(now('UTC')) - 1, viewed, 0) AS seen_lately,
        toInt64(0) AS against
    FROM user_author_90d
    WHERE user_id = {viewer:Int64} AND day >= toDate(now('UTC')) - 90
    UNION ALL
    SELECT authors.author_id, 0, 0, if(reacted.kind = 'like', toInt64(greatest(reacted.value, 0)), 0), toInt64(reacted.kind = 'comment'), 0, 0, 0, 0,
        if(reacted.kind = 'like', toInt64(greatest(-reacted.value, 0)), 0)
    FROM reacted
    INNER JOIN (SELECT id, author_id FROM posts FINAL WHERE id IN (SELECT post_id FROM reacted)) AS authors ON authors.id = reacted.post_id
    WHERE authors.author_id != {viewer:Int64}
)
GROUP BY author_id
ORDER BY hides > 0 OR dislikes > 0 DESC, likes + comments + shares DESC, views DESC, author_id
LIMIT {limit:UInt64}
