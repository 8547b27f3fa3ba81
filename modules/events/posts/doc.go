// Package posts tells the consumer of events whose a post is, whether it may be shown, and who has blocked whom.
package posts
