-- Which posts were interacted with most, and at the best rate, in a window, by enough people in a day or in the
-- window, whichever is longer? Of the hour in which the window begins only what of it is in the window. Reads
-- the hours of both: the primary key of the view begins with the hour.
WITH multiIf(hour < toStartOfHour(toDateTime({since:Int64}, 'UTC')), 0., hour = toStartOfHour(toDateTime({since:Int64}, 'UTC')), 1. - ({since:Int64} % 3600) / 3600, 1.) AS weight
SELECT post_id, exposed, {like:Float64} * liked + {comment:Float64} * commented + {share:Float64} * shared AS interactions, 0. AS disliked -- events tell of none
FROM (
    SELECT
        post_id,
        greatest(0., sum(weight * exposures)) AS exposed,
        greatest(0., sum(weight * likes)) AS liked,
        greatest(0., sum(weight * comments)) AS commented,
        greatest(0., sum(weight * shares)) AS shared,
        greatest(0, sum(likes)) AS likers, greatest(0, sum(comments)) AS commenters, greatest(0, sum(shares)) AS sharers,
        sum(likers + commenters + sharers) OVER () AS reactions
    FROM post_metrics_1h
    WHERE hour >= toStartOfHour(toDateTime(least({since:Int64}, {day:Int64}), 'UTC'))
    GROUP BY post_id
)
WHERE interactions > 0 AND greatest(likers, commenters, sharers) >= greatest({min_people:Float64}, ceil({people_share:Float64} * reactions / {days:UInt16}))
ORDER BY log1p(interactions) * log1p((interactions + {a:Float64}) / (greatest(exposed, interactions / {rate:Float64}) + {b:Float64})) DESC, post_id DESC
LIMIT {limit:UInt64}
