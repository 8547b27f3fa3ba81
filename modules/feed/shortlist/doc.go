// Package shortlist is the list of posts that a page or a reserve is made of, while it is made: posts come in
// (add.go), are put in the order of their scores (order.go), and in that of the rules of variety (variety.go).
//
// A request has one list, whose memory is used again by the next: TestACachedPageHardlyAllocates in feed guards it.
package shortlist
