-- Removes what events has of people who are erased, also where it came ahead of their post. Names nobody: a mutation is
-- remembered for a while.
ALTER TABLE events DELETE WHERE user_id IN (SELECT user_id FROM erased_users) OR author_id IN (SELECT user_id FROM erased_users)
    OR (author_id = 0 AND post_id IN (SELECT id FROM posts WHERE joinGet({erased_users:String}, 'erased', author_id) = 1))
