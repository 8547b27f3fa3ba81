-- The comparison of that name came so far.
INSERT INTO feedrank.cdc_resync (name, state)
VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET state = EXCLUDED.state, updated_at = now()
