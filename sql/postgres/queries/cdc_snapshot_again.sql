-- A table is to be read anew, once the log was followed up to here. What ClickHouse has from before is then gone, if the table has it no longer.
INSERT INTO feedrank.cdc_snapshots (source, table_name, sweep_lsn, sweep_at, relation, publication, key_columns, waits)
VALUES ($1, $2, $3::pg_lsn, $4, $5, $6, $7, true)
ON CONFLICT (source, table_name) DO UPDATE
SET sweep_lsn = excluded.sweep_lsn, sweep_at = excluded.sweep_at, relation = excluded.relation, publication = excluded.publication, key_columns = excluded.key_columns,
    last_key = NULL, done = false, waits = true, lost = false, partitions = '', updated_at = now()
