-- Takes people ($1: an array of their ids) out of who changed the ranking.
UPDATE feedrank.ranking_versions SET changed_by = '(erased)' WHERE changed_by = ANY($1)
