-- Says that all was written, unless the witness is not the one that was there when it began.
-- KEYS: the witness. ARGV: the one of the beginning, what says that all is whole.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
