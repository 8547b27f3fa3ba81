-- A commit of our own, so that the log of an idle database moves on.
INSERT INTO feedrank.heartbeat (source, beat_at)
VALUES ($1, now())
ON CONFLICT (source) DO UPDATE SET beat_at = EXCLUDED.beat_at
