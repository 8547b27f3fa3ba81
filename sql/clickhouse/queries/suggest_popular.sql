-- Who was liked, commented or shared by most people lately? Reads the days from `days` ago on of
-- everybody: a job asks now and then, with one thread.
SELECT author_id AS candidate, uniq(user_id) AS people
FROM user_author_90d
WHERE day >= toDate(now('UTC')) - {days:UInt16} AND likes + comments + shares > 0
GROUP BY candidate
ORDER BY people DESC, candidate
LIMIT {limit:UInt64}
