-- A table's snapshot begins. What ClickHouse has from before sweep_lsn and the snapshot does not bring is gone.
INSERT INTO feedrank.cdc_snapshots (source, table_name, sweep_lsn, sweep_at, relation, publication, key_columns)
VALUES ($1, $2, $3::pg_lsn, $4, $5, $6, $7)
ON CONFLICT (source, table_name) DO NOTHING
