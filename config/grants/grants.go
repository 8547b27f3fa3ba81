// Package grants holds what feedrank must be granted, as files that an administrator runs.
package grants

import _ "embed"

// ClickHouse is clickhouse.sql: users and their grants. The embedded servers have the same.
//
//go:embed clickhouse.sql
var ClickHouse string
