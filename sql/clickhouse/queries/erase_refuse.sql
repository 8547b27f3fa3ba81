-- From here on no table takes anything that names these people: see 0005_erasure.sql. Who is there
-- already stays as they are.
INSERT INTO erased_users (user_id, erased, erased_at)
SELECT user_id, 1, now64(3)
FROM (SELECT arrayJoin({users:Array(Int64)}) AS user_id)
