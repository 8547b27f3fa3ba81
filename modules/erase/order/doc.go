// Package order has people erased by the replica that leads the jobs, because an operator asked for it through the
// admin API: POST /admin/v1/people/erase. How far each erasure is can be asked for.
//
// An order is a row of feedrank.erase_orders. It names the person until it is done, and nobody after that. There is one
// at a time for each person: who asks again is told of the order that there is. What a leader left behind, or what
// failed, is taken up by the next run of the job: an erasure goes on where it ended, and each of its steps may be
// repeated.
//
// The command `feedrank erase` does the same without an order.
package order
