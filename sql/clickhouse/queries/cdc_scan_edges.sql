-- Which edges do viewers have of these kinds? A full scan, for a comparison with PostgreSQL: those
-- whose key, in the places of its first columns, lies in a range; all if there are no places.
SELECT row_key, viewer_id, toString(kind) AS kind, other_id
FROM viewer_edges FINAL
WHERE toString(kind) IN {kinds:Array(String)}
  AND (empty({places:Array(UInt8)})
    OR (arrayMap(place -> toInt64OrZero(splitByChar(':', row_key)[place]), {places:Array(UInt8)}) > {after:Array(Int64)}
        AND arrayMap(place -> toInt64OrZero(splitByChar(':', row_key)[place]), {places:Array(UInt8)}) <= {upto:Array(Int64)}))
