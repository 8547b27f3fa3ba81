-- Who may see a post: 0 everybody, 1 followers, but it is in no list, 2 followers, 4 nobody in their feed.
ALTER TABLE posts ADD COLUMN IF NOT EXISTS audience UInt8 DEFAULT 0 AFTER hidden;

-- Of users with a private account only followers see posts.
ALTER TABLE users ADD COLUMN IF NOT EXISTS private Bool DEFAULT false AFTER hidden;
