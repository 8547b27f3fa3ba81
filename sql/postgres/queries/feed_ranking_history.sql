-- Who changed the ranking, and when? The last rows by primary key.
SELECT version, config, changed_by, note, changed_at FROM feedrank.ranking_versions ORDER BY version DESC LIMIT $1
