-- Some posts are deleted, by primary key.
DELETE FROM posts WHERE id = ANY($1)
