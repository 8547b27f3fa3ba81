-- Takes people ($1: an array of their ids) out of who acted, and out of whom something was done to.
UPDATE feedrank.admin_actions SET
    who = CASE WHEN who = ANY($1) THEN '(erased)' ELSE who END,
    target = CASE WHEN target = ANY($1) THEN '(erased)' ELSE target END
WHERE who = ANY($1) OR target = ANY($1)
