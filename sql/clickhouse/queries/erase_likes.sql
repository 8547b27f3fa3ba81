-- Removes what likes has of people who are erased: where its columns name them, and where its key does, in
-- the places that the app's primary key has for them. Names nobody itself: a mutation is remembered for a while.
ALTER TABLE likes DELETE WHERE user_id IN (SELECT user_id FROM erased_users)
    OR (toInt64OrZero(splitByChar(':', row_key)[{like_1:UInt8}]) IN (SELECT user_id FROM erased_users)
        OR decodeURLComponent(splitByChar(':', row_key)[{like_1:UInt8}]) IN (SELECT key FROM keys WHERE id IN (SELECT user_id FROM erased_users)))
