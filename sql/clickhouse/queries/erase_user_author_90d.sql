-- Removes what user_author_90d has of people who are erased. Names nobody: a mutation is remembered for a while.
ALTER TABLE user_author_90d DELETE WHERE user_id IN (SELECT user_id FROM erased_users) OR author_id IN (SELECT user_id FROM erased_users)
