// Package sql holds the migrations and queries as files that run as they are.
package sql

import "embed"

// The folders: clickhouse/migrations, clickhouse/queries, postgres/migrations, postgres/queries and
// postgres/example (a plain social schema, which stands in for the app's own in the demo and tests).
//
//go:embed clickhouse postgres
var files embed.FS

// ClickHouse is the text of a query in clickhouse/queries, such as "followees".
func ClickHouse(name string) string { return read("clickhouse/queries/" + name + ".sql") }

// Postgres is the text of a query in postgres/queries.
func Postgres(name string) string { return read("postgres/queries/" + name + ".sql") }

// ExampleSchema is the example app's tables.
func ExampleSchema() string { return read("postgres/example/schema.sql") }

// Files is the whole tree, for the migrations.
func Files() embed.FS { return files }

// read panics for a name that does not exist: names are constants, and a test reads them all.
func read(path string) string {
	text, err := files.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return string(text)
}
