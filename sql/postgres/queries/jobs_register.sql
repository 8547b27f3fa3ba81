-- What a job is, as its new leader has it.
INSERT INTO feedrank.jobs AS j (name, every, timeout, lead)
VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET every = excluded.every, timeout = excluded.timeout, lead = excluded.lead
