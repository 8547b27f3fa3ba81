-- Gives a lease back, unless somebody else holds it by now.
-- KEYS: the lease. ARGV: what is held.
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
