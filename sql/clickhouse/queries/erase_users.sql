-- Removes what users has of people who are erased. Names nobody: a mutation is remembered for a while.
ALTER TABLE users DELETE WHERE id IN (SELECT user_id FROM erased_users)
