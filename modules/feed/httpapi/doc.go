// Package httpapi is the feed's calls over HTTP: pages and trending posts for users (api.go), how feeds did on a day
// (days.go), and what operators and product people ask and change (admin.go). It checks what a client says and writes
// what package feed made.
package httpapi
