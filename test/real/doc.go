// Package real tests feedrank against the servers that it meets in production (package servers). fetch.sh gets the
// parts; `make real` runs the tests, which carry the build tag real.
package real
