-- Which ranking is in force? The last row by primary key.
SELECT version, config FROM feedrank.ranking_versions ORDER BY version DESC LIMIT 1
