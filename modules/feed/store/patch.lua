-- Appends changes to an entry and gives it another nonce. Where there is none, or one of another version, or one that
-- has grown too long, a marker with the changes alone takes its place. Whoever computes the reserve meanwhile may not
-- save it.
-- KEYS: the entry, the lease. ARGV: a marker, the changes, the longest entry in bytes, for how many milliseconds a
-- marker is kept, how many bytes a tag has.
redis.call('DEL', KEYS[2])
local head = redis.call('GETRANGE', KEYS[1], 0, 0)
if head == string.sub(ARGV[1], 1, 1) and redis.call('STRLEN', KEYS[1]) + #ARGV[2] <= tonumber(ARGV[3]) then
  redis.call('SETRANGE', KEYS[1], 1, string.sub(ARGV[1], 2, tonumber(ARGV[5])))
  redis.call('APPEND', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[4])
end
return 1
