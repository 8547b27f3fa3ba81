-- After rows came with their ids: let the sequences go on behind them. Reads the last entry of each
-- primary key.
SELECT setval(pg_get_serial_sequence('users', 'id'), (SELECT max(id) FROM users)),
       setval(pg_get_serial_sequence('posts', 'id'), (SELECT max(id) FROM posts)),
       setval(pg_get_serial_sequence('comments', 'id'), (SELECT max(id) FROM comments))
