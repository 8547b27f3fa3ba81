-- Removes what posts has of people who are erased. Names nobody: a mutation is remembered for a while.
ALTER TABLE posts DELETE WHERE author_id IN (SELECT user_id FROM erased_users)
