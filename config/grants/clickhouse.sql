-- What feedrank may do in ClickHouse. Run it as an administrator, with passwords or certificates of your own:
--
--   clickhouse-client --queries-file config/grants/clickhouse.sql
--
-- The embedded ClickHouse has these users with these grants, and a test runs the program with each of them. Only
-- CREATE USER IF NOT EXISTS … IDENTIFIED … and GRANT … TO … may stand here.

-- `feedrank migrate` makes the database and its tables.
CREATE USER IF NOT EXISTS feedrank_migrate IDENTIFIED WITH sha256_password BY 'change me';
GRANT CREATE DATABASE, CREATE TABLE, CREATE VIEW, ALTER, SELECT, INSERT ON feedrank.* TO feedrank_migrate;
-- Where the server asks for grants on table engines (table_engines_require_grant), these are the ones of our tables.
GRANT TABLE ENGINE ON MergeTree TO feedrank_migrate;
GRANT TABLE ENGINE ON ReplacingMergeTree TO feedrank_migrate;
GRANT TABLE ENGINE ON AggregatingMergeTree TO feedrank_migrate;
GRANT TABLE ENGINE ON Join TO feedrank_migrate;

-- The program reads and writes rows, and makes nothing.
CREATE USER IF NOT EXISTS feedrank IDENTIFIED WITH sha256_password BY 'change me';
GRANT SELECT, INSERT ON feedrank.* TO feedrank;
-- It looks which of its own statements run, and ends one that hangs.
GRANT SELECT ON system.processes TO feedrank;
GRANT KILL QUERY ON *.* TO feedrank;

-- `feedrank erase` removes rows for good.
CREATE USER IF NOT EXISTS feedrank_erase IDENTIFIED WITH sha256_password BY 'change me';
GRANT SELECT, INSERT, ALTER DELETE ON feedrank.* TO feedrank_erase;
GRANT SELECT ON system.processes TO feedrank_erase;
GRANT SELECT ON system.mutations TO feedrank_erase;

-- `feedrank backup` clones tables and has the server back up the clones, `feedrank restore` puts them back.
CREATE USER IF NOT EXISTS feedrank_backup IDENTIFIED WITH sha256_password BY 'change me';
GRANT SELECT, INSERT, CREATE TABLE, DROP TABLE, ALTER, BACKUP, SYSTEM MERGES ON feedrank.* TO feedrank_backup;
GRANT SELECT ON system.backups TO feedrank_backup;
GRANT TABLE ENGINE ON MergeTree TO feedrank_backup;
GRANT TABLE ENGINE ON ReplacingMergeTree TO feedrank_backup;
GRANT TABLE ENGINE ON AggregatingMergeTree TO feedrank_backup;

-- People who look, by curl or clickhouse-client: they read, and nothing else.
CREATE USER IF NOT EXISTS feedrank_read IDENTIFIED WITH sha256_password BY 'change me';
GRANT SELECT ON feedrank.* TO feedrank_read;
