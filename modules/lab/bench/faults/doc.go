// Package faults measures what is still answered while servers are killed, frozen and slowed, while roles are
// restarted, and when more is asked for than the machine can do. The oracle knows what nobody may be shown.
package faults
