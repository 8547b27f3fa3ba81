-- What names these people, and where? Reads the columns of ids of every table, and the keys of those that
-- join two things; users and viewers by key.
SELECT 'events' AS place, count() AS n FROM events WHERE user_id IN {users:Array(Int64)} OR author_id IN {users:Array(Int64)}
UNION ALL SELECT 'post_metrics_1h', count() FROM post_metrics_1h WHERE author_id IN {users:Array(Int64)}
UNION ALL SELECT 'user_author_90d', count() FROM user_author_90d WHERE user_id IN {users:Array(Int64)} OR author_id IN {users:Array(Int64)}
UNION ALL SELECT 'users', count() FROM users WHERE id IN {users:Array(Int64)}
UNION ALL SELECT 'posts', count() FROM posts WHERE author_id IN {users:Array(Int64)}
UNION ALL SELECT 'follows', count() FROM follows WHERE follower_id IN {users:Array(Int64)}
    OR followee_id IN {users:Array(Int64)}
    OR (toInt64OrZero(splitByChar(':', row_key)[{follow_1:UInt8}]) IN {users:Array(Int64)}
        OR arrayMap(h -> if(h < 0, bitAnd(h, -4611686018427387905), bitOr(h, 4611686018427387904)),
            [reinterpretAsInt64(reverse(substring(SHA256(decodeURLComponent(splitByChar(':', row_key)[{follow_1:UInt8}])), 1, 8)))])[1] IN {users:Array(Int64)}) OR (toInt64OrZero(splitByChar(':', row_key)[{follow_2:UInt8}]) IN {users:Array(Int64)}
        OR arrayMap(h -> if(h < 0, bitAnd(h, -4611686018427387905), bitOr(h, 4611686018427387904)),
            [reinterpretAsInt64(reverse(substring(SHA256(decodeURLComponent(splitByChar(':', row_key)[{follow_2:UInt8}])), 1, 8)))])[1] IN {users:Array(Int64)})
UNION ALL SELECT 'comments', count() FROM comments WHERE author_id IN {users:Array(Int64)}
    OR (toInt64OrZero(splitByChar(':', row_key)[{comment_1:UInt8}]) IN {users:Array(Int64)}
        OR arrayMap(h -> if(h < 0, bitAnd(h, -4611686018427387905), bitOr(h, 4611686018427387904)),
            [reinterpretAsInt64(reverse(substring(SHA256(decodeURLComponent(splitByChar(':', row_key)[{comment_1:UInt8}])), 1, 8)))])[1] IN {users:Array(Int64)})
UNION ALL SELECT 'likes', count() FROM likes WHERE user_id IN {users:Array(Int64)}
    OR (toInt64OrZero(splitByChar(':', row_key)[{like_1:UInt8}]) IN {users:Array(Int64)}
        OR arrayMap(h -> if(h < 0, bitAnd(h, -4611686018427387905), bitOr(h, 4611686018427387904)),
            [reinterpretAsInt64(reverse(substring(SHA256(decodeURLComponent(splitByChar(':', row_key)[{like_1:UInt8}])), 1, 8)))])[1] IN {users:Array(Int64)})
UNION ALL SELECT 'blocks', count() FROM blocks WHERE user_id IN {users:Array(Int64)}
    OR other_id IN {users:Array(Int64)}
    OR (kind = 'block' AND ((toInt64OrZero(splitByChar(':', row_key)[{block_1:UInt8}]) IN {users:Array(Int64)}
        OR arrayMap(h -> if(h < 0, bitAnd(h, -4611686018427387905), bitOr(h, 4611686018427387904)),
            [reinterpretAsInt64(reverse(substring(SHA256(decodeURLComponent(splitByChar(':', row_key)[{block_1:UInt8}])), 1, 8)))])[1] IN {users:Array(Int64)}) OR (toInt64OrZero(splitByChar(':', row_key)[{block_2:UInt8}]) IN {users:Array(Int64)}
        OR arrayMap(h -> if(h < 0, bitAnd(h, -4611686018427387905), bitOr(h, 4611686018427387904)),
            [reinterpretAsInt64(reverse(substring(SHA256(decodeURLComponent(splitByChar(':', row_key)[{block_2:UInt8}])), 1, 8)))])[1] IN {users:Array(Int64)})))
    OR (kind = 'mute' AND ((toInt64OrZero(splitByChar(':', row_key)[{mute_1:UInt8}]) IN {users:Array(Int64)}
        OR arrayMap(h -> if(h < 0, bitAnd(h, -4611686018427387905), bitOr(h, 4611686018427387904)),
            [reinterpretAsInt64(reverse(substring(SHA256(decodeURLComponent(splitByChar(':', row_key)[{mute_1:UInt8}])), 1, 8)))])[1] IN {users:Array(Int64)}) OR (toInt64OrZero(splitByChar(':', row_key)[{mute_2:UInt8}]) IN {users:Array(Int64)}
        OR arrayMap(h -> if(h < 0, bitAnd(h, -4611686018427387905), bitOr(h, 4611686018427387904)),
            [reinterpretAsInt64(reverse(substring(SHA256(decodeURLComponent(splitByChar(':', row_key)[{mute_2:UInt8}])), 1, 8)))])[1] IN {users:Array(Int64)})))
UNION ALL SELECT 'viewer_edges', count() FROM viewer_edges WHERE viewer_id IN {users:Array(Int64)} OR other_id IN {users:Array(Int64)}
UNION ALL SELECT 'reactions_by_hour', count() FROM reactions_by_hour WHERE user_id IN {users:Array(Int64)}
    OR (kind = 'like' AND ((toInt64OrZero(splitByChar(':', row_key)[{like_1:UInt8}]) IN {users:Array(Int64)}
        OR arrayMap(h -> if(h < 0, bitAnd(h, -4611686018427387905), bitOr(h, 4611686018427387904)),
            [reinterpretAsInt64(reverse(substring(SHA256(decodeURLComponent(splitByChar(':', row_key)[{like_1:UInt8}])), 1, 8)))])[1] IN {users:Array(Int64)})))
    OR (kind = 'comment' AND ((toInt64OrZero(splitByChar(':', row_key)[{comment_1:UInt8}]) IN {users:Array(Int64)}
        OR arrayMap(h -> if(h < 0, bitAnd(h, -4611686018427387905), bitOr(h, 4611686018427387904)),
            [reinterpretAsInt64(reverse(substring(SHA256(decodeURLComponent(splitByChar(':', row_key)[{comment_1:UInt8}])), 1, 8)))])[1] IN {users:Array(Int64)})))
UNION ALL SELECT 'reactions_by_user', count() FROM reactions_by_user WHERE user_id IN {users:Array(Int64)}
    OR (kind = 'like' AND ((toInt64OrZero(splitByChar(':', row_key)[{like_1:UInt8}]) IN {users:Array(Int64)}
        OR arrayMap(h -> if(h < 0, bitAnd(h, -4611686018427387905), bitOr(h, 4611686018427387904)),
            [reinterpretAsInt64(reverse(substring(SHA256(decodeURLComponent(splitByChar(':', row_key)[{like_1:UInt8}])), 1, 8)))])[1] IN {users:Array(Int64)})))
    OR (kind = 'comment' AND ((toInt64OrZero(splitByChar(':', row_key)[{comment_1:UInt8}]) IN {users:Array(Int64)}
        OR arrayMap(h -> if(h < 0, bitAnd(h, -4611686018427387905), bitOr(h, 4611686018427387904)),
            [reinterpretAsInt64(reverse(substring(SHA256(decodeURLComponent(splitByChar(':', row_key)[{comment_1:UInt8}])), 1, 8)))])[1] IN {users:Array(Int64)})))
UNION ALL SELECT 'keys', count() FROM keys WHERE id IN {users:Array(Int64)} AND id NOT IN (SELECT id FROM posts WHERE id IN {users:Array(Int64)})
