-- The number of the new lead: above all before it. It is made of the server's timeline and of milliseconds, so
-- that it grows also where a server took over that had not yet heard of the last lead.
INSERT INTO feedrank.cdc_leads AS l (source, number)
SELECT $1, (('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint << 44) + (extract(epoch FROM clock_timestamp()) * 1000)::bigint
ON CONFLICT (source) DO UPDATE SET number = greatest(l.number + 1, excluded.number), taken_at = now()
RETURNING number
