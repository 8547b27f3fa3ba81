// Package proc starts processes that end with their parent, and looks at, stops and kills whole
// trees of them.
package proc
