-- Which of the posts from {first} on have arrived from the app's database? Reads the last granules of
-- the primary key.
SELECT id FROM posts WHERE id >= {first:Int64} AND is_deleted = 0
