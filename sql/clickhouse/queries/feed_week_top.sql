-- Which posts were interacted with most, and at the best rate, in the last days, by enough people? For trending by
-- the week. Reads the hours from `since` on and adds them up: asked about once a minute for everybody.
SELECT post_id, exposed AS exposures, liked AS likes, commented AS comments, shared AS shares, toInt64(0) AS dislikes -- events tell of none
FROM (
    SELECT
        post_id,
        greatest(0, sum(exposures)) AS exposed,
        greatest(0, sum(likes)) AS liked,
        greatest(0, sum(comments)) AS commented,
        greatest(0, sum(shares)) AS shared,
        {like:Float64} * liked + {comment:Float64} * commented + {share:Float64} * shared AS interactions,
        sum(liked + commented + shared) OVER () AS reactions
    FROM post_metrics_1h
    WHERE hour >= toDateTime({since:Int64}, 'UTC')
    GROUP BY post_id
)
WHERE interactions > 0 AND greatest(liked, commented, shared) >= greatest({min_people:Float64}, ceil({people_share:Float64} * reactions / 7))
ORDER BY log1p(interactions) * log1p((interactions + {a:Float64}) / (greatest(toFloat64(exposed), interactions / {rate:Float64}) + {b:Float64})) DESC, post_id DESC
LIMIT {limit:UInt64}
