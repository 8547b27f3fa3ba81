// Package embedded runs the servers that feedrank needs, the real ones where
// that is possible, without anything being installed: ClickHouse (libchdb),
// PostgreSQL, Kafka (kfake) and Redis (miniredis). It is what `feedrank dev`,
// `feedrank embedded` and the tests use.
//
// Every server is a process of its own, made by running the current program
// again with an environment variable that RunChildIfAsked looks for. So each can
// be killed as a real one can, comes back with its data on the same address
// (Redis, a cache, comes back empty), and ends when the process that started it
// does, whatever ended that.
//
// A stack lives in one directory:
//
//	lock              the pid of the stack that uses it
//	<server>.log      what it printed; cut when longer than 16 MiB at a start
//	<server>/port     its port on 127.0.0.1, chosen by the first start; ClickHouse has http_port, too
//	<server>/password of ClickHouse and PostgreSQL, chosen by the first start
//	<server>/data     what it stores
//
// Further nodes of ClickHouse are clickhouse-2, clickhouse-3 and so on.
//
// Run as root, PostgreSQL gets an unprivileged user. If that user cannot reach
// the directory, postgres/location names the one below /var/tmp which is used
// instead. A stack in a temporary directory removes both when it stops.
package embedded
