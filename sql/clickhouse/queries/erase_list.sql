-- Who is erased? Reads a table of ids, which is in memory.
SELECT user_id FROM erased_users
