-- Which texts are these numbers claimed for, and which of them hold theirs? By primary key. Claims that were withdrawn
-- are none.
SELECT id, key, toUInt8(max(last = 1)) AS held
FROM
(
    SELECT id, key, claim, max(state) AS last
    FROM keys
    WHERE id IN (SELECT id FROM asked)
    GROUP BY id, key, claim
)
WHERE last < 2
GROUP BY id, key
