-- Removes what post_metrics_1h has of people who are erased. Names nobody: a mutation is remembered for a while.
ALTER TABLE post_metrics_1h DELETE WHERE author_id IN (SELECT user_id FROM erased_users)
