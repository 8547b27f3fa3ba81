-- In which of these pairs has the first blocked the other? The pairs come as a table beside the query (asked).
-- Scans two columns of all blocks, which are few beside the edges of viewers, and then reads the rows that fit.
SELECT DISTINCT user_id, other_id
FROM blocks FINAL
WHERE kind = 'block' AND (user_id, other_id) IN asked
    AND row_key IN (SELECT row_key FROM blocks WHERE kind = 'block' AND (user_id, other_id) IN asked)
