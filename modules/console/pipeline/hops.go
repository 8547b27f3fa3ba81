package pipeline

import (
	"fmt"
	"strings"
)

// State is how a place or a hop is.
type State string

// The states, the worst last. Absent is what this process does not do.
const (
	Absent State = "absent"
	Well   State = "well"
	Late   State = "late"
	Failed State = "failed"
)

// Figure is a number with its name.
type Figure struct{ Name, Value string }

// Hop is one part of the way.
type Hop struct {
	ID      string // a word for addresses
	Name    string // such as "PostgreSQL → Kafka"
	Does    string // what it does, in a few words
	From    string // ids of places
	To      string
	State   State
	Figures []Figure // the first is its rate
	Cause   string   // of a state that is not well, in a sentence; of one that is absent, who does it
	Runbook string   // the entry to read
	Letters string   // the queue of what it could not apply; empty: none
}

// Place is a server, or what a replica holds.
type Place struct {
	ID    string
	Name  string
	State State
	Cause string
}

// Status is the whole way at one moment.
type Status struct {
	Places   []Place
	Hops     []Hop
	Measured float64 // seconds that the rates are of; 0: nobody looked before
}

// Worst is the state of the whole.
func (s Status) Worst() State {
	worst := Well
	for _, h := range s.Hops {
		worst = worse(worst, h.State)
	}
	for _, p := range s.Places {
		worst = worse(worst, p.State)
	}
	return worst
}

func worse(a, b State) State {
	order := map[State]int{Absent: 0, Well: 1, Late: 2, Failed: 3}
	if order[b] > order[a] {
		return b
	}
	return a
}

// Limits from which on a hop counts as late. They are those of the alerts.
const (
	lateSeconds = 10
	oldHotSet   = 30
	muchWAL     = 4e9 // bytes
)

// Now is how everything is. checks are what readiness says of each dependency: "ok", or what is wrong.
func (s *Sampler) Now(checks map[string]string) (Status, error) {
	r, err := s.read()
	if err != nil {
		return Status{}, err
	}
	out := Status{Measured: r.seconds(), Places: places(r, checks)}
	for _, hop := range []func(reading) Hop{changesIn, eventsIn, changesApplied, eventsApplied, hotSet, cache, feed} {
		h := hop(r)
		for _, p := range out.Places {
			if h.State != Absent && p.State == Failed && (p.ID == h.From || p.ID == h.To) {
				h.worsen(Failed, p.Name+" does not answer: "+p.Cause)
			}
		}
		out.Hops = append(out.Hops, h)
	}
	return out, nil
}

func places(r reading, checks map[string]string) []Place {
	all := []Place{
		{ID: "postgres", Name: "PostgreSQL"},
		{ID: "apps", Name: "Apps", State: Well},
		{ID: "kafka", Name: "Kafka"},
		{ID: "clickhouse", Name: "ClickHouse"},
		{ID: "hot", Name: "Hot set"},
		{ID: "redis", Name: "Cache"},
		{ID: "feed", Name: "Feed", State: Well},
	}
	for i := range all {
		p := &all[i]
		name := p.ID
		if p.ID == "hot" {
			name = "hot set"
		}
		said, asked := checks[name]
		switch {
		case p.State != "":
		case !asked:
			p.State = Absent
		case said == "ok":
			p.State = Well
		default:
			p.State, p.Cause = Failed, said
		}
	}
	if !r.has("feedrank_feed_hot_posts") {
		all[len(all)-1].State = Absent
	}
	return all
}

// worsen notes a cause, the worst first.
func (h *Hop) worsen(state State, cause string) {
	switch {
	case h.Cause == "":
		h.Cause = cause
	case worse(h.State, state) != h.State:
		h.Cause = cause + "; " + h.Cause
	case !strings.Contains(h.Cause, cause):
		h.Cause += "; " + cause
	}
	h.State = worse(h.State, state)
}

// add appends a figure.
func (h *Hop) add(name, format string, args ...any) {
	h.Figures = append(h.Figures, Figure{name, fmt.Sprintf(format, args...)})
}

// absent says which role does it.
func (h Hop) absent(role string) Hop {
	h.State, h.Cause = Absent, "This process does not have the role "+role+": look at the console of one that has."
	return h
}

// Rate is a number in a second, as people read it.
func Rate(perSecond float64) string {
	switch {
	case perSecond == 0:
		return "0 /s"
	case perSecond < 0.1:
		return fmt.Sprintf("%.1f /min", perSecond*60)
	case perSecond < 10:
		return fmt.Sprintf("%.1f /s", perSecond)
	default:
		return count(perSecond) + " /s"
	}
}

func count(n float64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.1fM", n/1e6)
	case n >= 1e4:
		return fmt.Sprintf("%.0fk", n/1e3)
	}
	return fmt.Sprintf("%.0f", n)
}

// Seconds is a length of time, as people read it.
func Seconds(s float64) string {
	switch {
	case s < 0:
		return "never"
	case s < 0.001:
		return "0 ms"
	case s < 1:
		return fmt.Sprintf("%.0f ms", s*1000)
	case s < 100:
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.0f min", s/60)
}

func bytes(n float64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", n/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", n/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.0f KB", n/(1<<10))
	}
	return fmt.Sprintf("%.0f B", n)
}
