-- Removes the keys of people who are erased, unless a post has the same. After all that is found by them. Names nobody: a
-- mutation is remembered for a while.
ALTER TABLE keys DELETE WHERE id IN (SELECT user_id FROM erased_users)
    AND id NOT IN (SELECT id FROM posts WHERE joinGet({erased_users:String}, 'erased', id) = 1)
