// Package graph holds who follows whom and who mutes whom in a synthetic world: a real graph that is
// embedded, or one that is generated with the same heavy tails.
package graph
