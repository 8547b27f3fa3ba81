package config

import (
	"fmt"
	"strings"
)

// Problem is one mistake: which key, what stands there, and what would be right.
type Problem struct {
	Key   string
	Value string // empty where there is none to show
	Want  string
}

// String is one line.
func (p Problem) String() string {
	if p.Value == "" {
		return p.Key + ": " + p.Want
	}
	return fmt.Sprintf("%s: %s: %s", p.Key, p.Value, p.Want)
}

// Problems are all the mistakes of a configuration, as one error.
type Problems []Problem

// Error lists every problem on a line of its own.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = "  " + problem.String()
	}
	noun := "problems"
	if len(p) == 1 {
		noun = "problem"
	}
	return fmt.Sprintf("%d %s in the configuration:\n%s", len(p), noun, strings.Join(lines, "\n"))
}
