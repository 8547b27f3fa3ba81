// Package migrate brings the schemas of ClickHouse and PostgreSQL up to date from numbered .sql
// files. Two things made us write it: no migration library drives ClickHouse through ch-go, and none
// checks that an applied file is still the file that was applied.
package migrate
