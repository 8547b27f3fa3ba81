-- Which posts were interacted with most, and at the best rate, in a window, by enough people in a day or in the
-- window, whichever is longer? Of the hour in which the window begins only what of it is in the window. Reads
-- the hours of both: the primary key of the view begins with the hour.
-- Likes and comments count from the source that is configured: see 0014_votes.sql; dislikes as modules/feed/rank says.
WITH multiIf(hour < toStartOfHour(toDateTime({since:Int64}, 'UTC')), 0., hour = toStartOfHour(toDateTime({since:Int64}, 'UTC')), 1. - ({since:Int64} % 3600) / 3600, 1.) AS weight
SELECT post_id, exposed, {like:Float64} * liked + {comment:Float64} * commented + {share:Float64} * shared AS interactions, {dislike:Float64} * against AS disliked
FROM (
    SELECT
        post_id,
        greatest(0., sum(weight * exposures)) AS exposed,
        greatest(0., sum(weight * likes)) AS liked,
        greatest(0., sum(weight * comments)) AS commented,
        greatest(0., sum(weight * shares)) AS shared, greatest(0., sum(weight * dislikes)) AS against,
        greatest(0, sum(likers)) AS people, greatest(0, sum(comments)) AS commenters, greatest(0, sum(shares)) AS sharers,
        sum(people + commenters + sharers) OVER () AS reactions
    FROM post_votes_1h(likes_from = {likes_from:String}, comments_from = {comments_from:String})
    WHERE hour >= toStartOfHour(toDateTime(least({since:Int64}, {day:Int64}), 'UTC'))
    GROUP BY post_id
)
WHERE interactions > disliked AND greatest(people, commenters, sharers) >= greatest({min_people:Float64}, ceil({people_share:Float64} * reactions / {days:UInt16}))
ORDER BY log1p(interactions - disliked) * greatest(0, log1p((interactions + {a:Float64}) / (greatest(exposed, interactions / {rate:Float64}) + {b:Float64}))
    - log1p(disliked / (greatest(exposed, disliked / {rate:Float64}) + {b:Float64}))) DESC, post_id DESC
LIMIT {limit:UInt64}
