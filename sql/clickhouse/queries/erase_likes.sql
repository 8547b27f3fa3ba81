-- Removes what likes has of people who are erased: where its columns name them, and where its key does, in
-- the places that the app's primary key has for them. Names nobody itself: a mutation is remembered for a while.
ALTER TABLE likes DELETE WHERE user_id IN (SELECT user_id FROM erased_users)
    OR (toInt64OrZero(splitByChar(':', row_key)[{like_1:UInt8}]) IN (SELECT user_id FROM erased_users)
        OR arrayMap(h -> if(h < 0, bitAnd(h, -4611686018427387905), bitOr(h, 4611686018427387904)),
            [reinterpretAsInt64(reverse(substring(SHA256(decodeURLComponent(splitByChar(':', row_key)[{like_1:UInt8}])), 1, 8)))])[1] IN (SELECT user_id FROM erased_users))
