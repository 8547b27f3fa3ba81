-- Removes what events has of people who are erased. Names nobody: a mutation is remembered for a while.
ALTER TABLE events DELETE WHERE user_id IN (SELECT user_id FROM erased_users) OR author_id IN (SELECT user_id FROM erased_users)
