-- Removes what viewer_edges has of people who are erased. Names nobody: a mutation is remembered for a while.
ALTER TABLE viewer_edges DELETE WHERE viewer_id IN (SELECT user_id FROM erased_users) OR (kind NOT IN ('member', 'hide') AND other_id IN (SELECT user_id FROM erased_users))
