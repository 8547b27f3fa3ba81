-- Which posts were interacted with most, and at the best rate, in the last days, by enough people? For trending by
-- the week. Reads the hours from `since` on and adds them up: asked about once a minute for everybody.
-- Likes and comments count from the source that is configured: see 0014_votes.sql;
-- dislikes as modules/feed/rank says.
SELECT post_id, exposed AS exposures, liked AS likes, commented AS comments, shared AS shares, against AS dislikes
FROM (
    SELECT
        post_id,
        greatest(0, sum(exposures)) AS exposed,
        greatest(0, sum(likes)) AS liked,
        greatest(0, sum(comments)) AS commented,
        greatest(0, sum(shares)) AS shared,
        greatest(0, sum(dislikes)) AS against, greatest(0, sum(likers)) AS likers,
        {like:Float64} * liked + {comment:Float64} * commented + {share:Float64} * shared AS interactions, {dislike:Float64} * against AS disliked,
        sum(likers + commented + shared) OVER () AS reactions
    FROM post_votes_1h(likes_from = {likes_from:String}, comments_from = {comments_from:String})
    WHERE hour >= toDateTime({since:Int64}, 'UTC')
    GROUP BY post_id
)
WHERE interactions > disliked AND greatest(likers, commented, shared) >= greatest({min_people:Float64}, ceil({people_share:Float64} * reactions / 7))
ORDER BY log1p(interactions - disliked) * greatest(0, log1p((interactions + {a:Float64}) / (greatest(toFloat64(exposed), interactions / {rate:Float64}) + {b:Float64}))
    - log1p(disliked / (greatest(toFloat64(exposed), disliked / {rate:Float64}) + {b:Float64}))) DESC, post_id DESC
LIMIT {limit:UInt64}
