-- Adds what an operator did.
INSERT INTO feedrank.admin_actions (at, who, what, target, before, after, status, request_id, address)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
