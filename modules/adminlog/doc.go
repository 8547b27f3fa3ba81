// Package adminlog keeps what operators do: who, when, what, before and after, for every call of /admin
// that changes something. The rows are in PostgreSQL (feedrank.admin_actions, append-only: a trigger
// refuses the rest), and GET /admin/v1/actions lists them.
//
// The server hands over each such call once it was answered (httpserver.Recorder), so no handler can
// forget it; the handler says what was before and after. A call that was refused (4xx) changed nothing and
// is not kept; one that failed (5xx) is, because it may have happened.
//
// So are the commands that change data (erase, resync, rebuild-views, audit --repair, dlq replay, discard and
// quarantine), by the name that the operating system has for who runs them, from that machine (app.Recorded). One that
// is killed at once leaves no row; one that PostgreSQL does not take is said where the command was given.
//
// Operators must be able to act while PostgreSQL is away: that is when they force a breaker. What cannot
// be written then waits in memory and is written when PostgreSQL is back; each is a line of the log
// meanwhile, with all that the row would have. When maxWaiting wait, calls that change something are
// refused, rather than done without a record. What still waits when the process is killed is in the log
// alone.
package adminlog
