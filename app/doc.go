// Package app is the composition root: the catalogue of modules, the roles that choose among them,
// and how the program starts and stops.
package app
