-- Which likes do we have? A full scan, for a comparison with PostgreSQL: those
-- whose key, in the places of its first columns, lies in a range; all if there are no places.
SELECT row_key AS row_key, user_id AS first, post_id AS other, false AS hidden, toUInt8(0) AS audience, created_at, value
FROM likes FINAL
WHERE (empty({places:Array(UInt8)})
    OR (arrayMap(place -> toInt64OrZero(splitByChar(':', row_key)[place]), {places:Array(UInt8)}) > {after:Array(Int64)}
        AND arrayMap(place -> toInt64OrZero(splitByChar(':', row_key)[place]), {places:Array(UInt8)}) <= {upto:Array(Int64)}))
