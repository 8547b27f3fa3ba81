package main

import "context"

type measurements struct {
	trials, rows int
	say          func(format string, args ...any)
}

func (m *measurements) run(context.Context) error { return nil }
