// Package doctor looks at a live deployment and says what to fix, what is most urgent first.
//
// Each server has a file with what is looked at there; what belongs to a feature (the mapping, grants,
// migrations) comes from the app as a Check of its own. A check only asks: nothing is changed. A server
// that does not answer is one finding, and what could not be looked at for that is named. What a server
// does not let us ask is named as well: no answer is not a good one.
package doctor
