-- The names of some users, by primary key.
SELECT id, name FROM users WHERE id = ANY($1)
