// Package clickhouse runs ClickHouse's own server, which is inside libchdb, and a gate before it.
//
// # The server
//
// `query_stable_v2(argc, argv)` of libchdb is the main function of clickhouse-local, and that can open the server's
// ports (`SYSTEM START LISTEN TCP`). So a process that makes this one call is a ClickHouse server: the real
// protocol, the real query stages, users, grants, quotas, cancel, Distributed tables. Two statements open the
// ports, a third reads a named pipe whose other end this process holds: the call returns when that end is closed.
// The process is meant to be killed; whoever starts it has it started again.
//
// Beside the server's own files, the data directory holds
//
//	config.xml, users.xml  made anew by each start
//	engine.log             the server's warnings, at most 2 files of 16 MiB
//	version                the version that last wrote here
//	hold                   the pipe
//
// # The gate
//
// clickhouse-local ends the process when an exception leaves a connection's handler, and each handshake that fails
// is one: bytes that are no Hello, half of one, a wrong password, an unknown database, a client that is reset while
// it is answered. So the server listens on another address of the loopback (127.0.0.2, with the same ports), and a
// gate on the public one. It reads a client's Hello, answers what is wrong with it itself, with the server's own
// code, and then passes all bytes on as they are, both ways; it interprets nothing after the Hello. A client that
// goes is told to the server as the end of its stream, never as a reset, and what the server still sends is thrown
// away. HTTP needs no Hello: it is passed on. Gate and server are one process: a killed server refuses, a frozen
// one hangs. To a Distributed table, too, the gate's address is this node: the same port on a local address.
//
// # Users
//
// All users are in users.xml, for which clickhouse-local has the only writable storage: an administrator, and those of
// a file of `CREATE USER` and `GRANT` statements (config/grants/clickhouse.sql). The gate knows their passwords.
//
// clickhouse-local's own session logs in as `default`, from 127.0.0.1, without a password; neither name nor
// password can be given. What was tried to keep others out:
//
//   - networks: a client of the private address comes from 127.0.0.1 as well, and one of ::1 counts as the same;
//   - users.xml replaced after the login: `SYSTEM RELOAD USERS` reloads nothing here;
//   - max_sessions_for_user = 1, which no session may change: the child's own takes the one, for as long as it
//     lives. Any other login gets code 700. This holds, over TCP and HTTP, and is what is done. The gate, too, lets
//     `default` in on no port, and the user may do nothing but what its three statements need.
package clickhouse
