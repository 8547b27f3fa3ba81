// Package layers holds the order of the packages: imports point one way, features stand apart, and the production
// binary has nothing that only a developer's machine runs.
package layers
