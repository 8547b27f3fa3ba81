-- Puts a ranking in force, unless somebody else was faster: the primary key decides.
INSERT INTO feedrank.ranking_versions (version, config, changed_by, note)
VALUES ($1, $2, $3, $4)
ON CONFLICT (version) DO NOTHING
