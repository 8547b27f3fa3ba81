-- What names these people, and where? Reads the columns of ids of every table, and the keys of those that
-- join two things; users and viewers by key.
SELECT 'events' AS place, count() AS n FROM events WHERE user_id IN {users:Array(Int64)} OR author_id IN {users:Array(Int64)}
UNION ALL SELECT 'post_metrics_1h', count() FROM post_metrics_1h WHERE author_id IN {users:Array(Int64)}
UNION ALL SELECT 'user_author_90d', count() FROM user_author_90d WHERE user_id IN {users:Array(Int64)} OR author_id IN {users:Array(Int64)}
UNION ALL SELECT 'users', count() FROM users WHERE id IN {users:Array(Int64)}
UNION ALL SELECT 'posts', count() FROM posts WHERE author_id IN {users:Array(Int64)}
UNION ALL SELECT 'follows', count() FROM follows WHERE follower_id IN {users:Array(Int64)} OR followee_id IN {users:Array(Int64)}
    OR hasAny(arrayMap(place -> {{key_numbers}}[place], {follow:Array(UInt8)}), {users:Array(Int64)})
UNION ALL SELECT 'comments', count() FROM comments WHERE author_id IN {users:Array(Int64)}
    OR hasAny(arrayMap(place -> {{key_numbers}}[place], {comment:Array(UInt8)}), {users:Array(Int64)})
UNION ALL SELECT 'likes', count() FROM likes WHERE user_id IN {users:Array(Int64)}
    OR hasAny(arrayMap(place -> {{key_numbers}}[place], {like:Array(UInt8)}), {users:Array(Int64)})
UNION ALL SELECT 'members', count() FROM members WHERE user_id IN {users:Array(Int64)}
    OR hasAny(arrayMap(place -> {{key_numbers}}[place], {member:Array(UInt8)}), {users:Array(Int64)})
UNION ALL SELECT 'hides', count() FROM hides WHERE user_id IN {users:Array(Int64)}
    OR hasAny(arrayMap(place -> {{key_numbers}}[place], {hide:Array(UInt8)}), {users:Array(Int64)})
UNION ALL SELECT 'blocks', count() FROM blocks WHERE user_id IN {users:Array(Int64)} OR other_id IN {users:Array(Int64)}
    OR hasAny(arrayMap(place -> {{key_numbers}}[place], if(kind = 'block', {block:Array(UInt8)}, {mute:Array(UInt8)})), {users:Array(Int64)})
UNION ALL SELECT 'viewer_edges', count() FROM viewer_edges WHERE viewer_id IN {users:Array(Int64)} OR (kind NOT IN ('member', 'hide') AND other_id IN {users:Array(Int64)})
UNION ALL SELECT 'reactions_by_hour', count() FROM reactions_by_hour WHERE user_id IN {users:Array(Int64)}
    OR hasAny(arrayMap(place -> {{key_numbers}}[place], if(kind = 'like', {like:Array(UInt8)}, {comment:Array(UInt8)})), {users:Array(Int64)})
UNION ALL SELECT 'reactions_by_user', count() FROM reactions_by_user WHERE user_id IN {users:Array(Int64)}
    OR hasAny(arrayMap(place -> {{key_numbers}}[place], if(kind = 'like', {like:Array(UInt8)}, {comment:Array(UInt8)})), {users:Array(Int64)})
UNION ALL SELECT 'keys', count() FROM keys WHERE id IN {users:Array(Int64)} AND id NOT IN (SELECT id FROM posts WHERE id IN {users:Array(Int64)})
