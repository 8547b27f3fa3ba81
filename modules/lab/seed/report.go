package seed

import "time"

// Report says what was written and how fast.
type Report struct {
	Seed    uint64  `json:"seed"`
	Seconds float64 `json:"seconds"`
	Stages  []Stage `json:"stages"`
}

// Stage is one kind of rows.
type Stage struct {
	Name      string  `json:"name"`
	Rows      int     `json:"rows"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_second"`
}

// Rows is how many rows of a kind were written: users, follows, blocks, mutes, posts, "likes and
// comments" or events.
func (r Report) Rows(name string) int {
	for _, s := range r.Stages {
		if s.Name == name {
			return s.Rows
		}
	}
	return 0
}

func (r Report) finish(m *meter, started time.Time) Report {
	r.Stages, r.Seconds = m.stages, time.Since(started).Seconds()
	return r
}
