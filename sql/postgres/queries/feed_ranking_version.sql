-- What was a version of the ranking? By primary key.
SELECT config FROM feedrank.ranking_versions WHERE version = $1
