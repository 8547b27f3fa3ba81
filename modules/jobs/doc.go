// Package jobs runs what must be done now and then by one replica only. The replicas compete for a lead; whoever has
// it runs the jobs by their schedules, and hands each run the number of its lead as a fence. What a job publishes it
// publishes under that fence, so that a leader that was paused and wakes changes nothing.
//
// The lead is an advisory lock of PostgreSQL on a connection of its own: it falls when the connection does, at once
// when the process is killed. A process that is frozen keeps its connection, so the server itself ends a session that
// has not been heard of for Config.LeadTimeout (idle_session_timeout, PostgreSQL 14 on).
//
// Each lead has a number that only grows (feedrank.job_lead). A run begins by checking it, and a publication in Redis
// goes through a script that refuses a smaller number than it has seen. A lost connection cancels the run before
// another replica can lead. A library scheduler asks who leads only when a run begins, and can neither cancel a run
// with the lead nor hand it the number.
package jobs
