// Package redis runs miniredis as the embedded Redis.
//
// It lives in memory only: after a stop or a kill it comes back empty, which is
// what a cache has to survive anyway. It knows no CLIENT TRACKING, so rueidis
// needs DisableCache. It refuses what it could not expire or would wait for:
// see refused.
package redis
