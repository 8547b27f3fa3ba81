-- Writes an entry only under the lease that it was computed with, and where the entry that it was computed over still
-- stands: a change of the viewer's that came meanwhile must not be undone.
-- KEYS: the entry, the lease. ARGV: how many bytes a tag has, the tag of the entry before, the entry, for how many
-- milliseconds it is kept, the lease.
if redis.call('GET', KEYS[2]) ~= ARGV[5] then return 0 end
redis.call('DEL', KEYS[2])
if redis.call('GETRANGE', KEYS[1], 0, ARGV[1] - 1) ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 1
