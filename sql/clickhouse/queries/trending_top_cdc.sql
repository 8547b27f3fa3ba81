-- Which posts were interacted with most, and at the best rate, in a window that ends now? What was done
-- longer ago counts less, and of the hour in which the window begins only its share. Reads the hours of
-- the window: the primary key of the view begins with the hour.
-- Likes and comments count from the source that is configured: see 0004_reactions.sql.
WITH
    toFloat64(toUnixTimestamp(hour)) AS began,
    least(1., (began + 3600 - {since:Int64}) / 3600) * exp(-{decay:Float64} * greatest(0., {now:Int64} - began - 1800) / 3600) AS weight
SELECT
    post_id,
    greatest(0., sum(weight * exposures)) AS exposed,
    {like:Float64} * greatest(0., sum(weight * likes)) + {comment:Float64} * greatest(0., sum(weight * comments))
        + {share:Float64} * greatest(0., sum(weight * shares)) AS interactions
FROM post_engagement_1h(likes_from = {likes_from:String}, comments_from = {comments_from:String})
WHERE hour >= toStartOfHour(toDateTime({since:Int64}, 'UTC'))
GROUP BY post_id
HAVING interactions > 0
ORDER BY log1p(interactions) * log1p((interactions + {a:Float64}) / (exposed + {b:Float64})) DESC, post_id DESC
LIMIT {limit:UInt64}
