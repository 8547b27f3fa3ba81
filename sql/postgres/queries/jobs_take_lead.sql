-- The number of the new lead: one more than any before.
INSERT INTO feedrank.job_lead AS l (name, number, holder)
VALUES ($1, 1, $2)
ON CONFLICT (name) DO UPDATE SET number = l.number + 1, holder = excluded.holder, taken_at = now()
RETURNING number
