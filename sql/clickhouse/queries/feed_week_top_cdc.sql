-- Which posts were interacted with most, and at the best rate, in the last days? For trending by the
-- week. Reads the hours from `since` on and adds them up: asked about once a minute for everybody.
-- Likes and comments count from the source that is configured: see 0004_reactions.sql.
SELECT
    post_id,
    sum(exposures) AS exposures,
    sum(likes) AS likes,
    sum(comments) AS comments,
    sum(shares) AS shares
FROM post_engagement_1h(likes_from = {likes_from:String}, comments_from = {comments_from:String})
WHERE hour >= toDateTime({since:Int64}, 'UTC')
GROUP BY post_id
ORDER BY
    log1p({like:Float64} * greatest(likes, 0) + {comment:Float64} * greatest(comments, 0) + {share:Float64} * greatest(shares, 0))
    * log1p(({like:Float64} * greatest(likes, 0) + {comment:Float64} * greatest(comments, 0) + {share:Float64} * greatest(shares, 0) + {a:Float64})
            / (greatest(exposures, 0) + {b:Float64})) DESC,
    post_id DESC
LIMIT {limit:UInt64}
