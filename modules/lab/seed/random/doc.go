// Package random makes the reproducible randomness of a synthetic world: streams of numbers that
// depend on a seed, a purpose and an index alone, and draws from heavy-tailed distributions.
package random
