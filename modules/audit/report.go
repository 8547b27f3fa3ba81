package audit

import (
	"fmt"
	"slices"
	"time"
)

// Kind is what is wrong. The words are stored and are labels of metrics: never reuse one.
type Kind string

// The kinds of findings.
const (
	RangeGap     Kind = "range_gap"     // offsets that no range covers
	RangeOverlap Kind = "range_overlap" // offsets that two ranges cover
	RangeSum     Kind = "range_sum"     // a range whose records are not all accounted for
	RawMissing   Kind = "raw_missing"   // a range that says it wrote more rows than the raw table has
	RawSurplus   Kind = "raw_surplus"   // a range that says it wrote fewer
	OffsetTwice  Kind = "offset_twice"  // a record that stands in the raw table twice
	EventTwice   Kind = "event_twice"   // an event that stands there twice
	ViewDiffers  Kind = "view_differs"  // buckets of a view that do not say what the raw table says
)

// Kinds are all of them.
func Kinds() []Kind {
	return []Kind{RangeGap, RangeOverlap, RangeSum, RawMissing, RawSurplus, OffsetTwice, EventTwice, ViewDiffers}
}

// Finding is something wrong, at one place.
type Finding struct {
	Kind      Kind   `json:"kind"`
	Epoch     uint16 `json:"epoch,omitempty"` // zero: any
	Partition uint16 `json:"partition"`
	View      string `json:"view,omitempty"`
	Where     string `json:"where"`
	Count     uint64 `json:"count"` // of offsets, rows, events or buckets
	Detail    string `json:"detail,omitempty"`
	Repaired  bool   `json:"repaired"`
}

// String is the finding on one line.
func (f Finding) String() string {
	place := fmt.Sprintf("partition %d", f.Partition)
	if f.Epoch > 0 {
		place = fmt.Sprintf("epoch %d, %s", f.Epoch, place)
	}
	if f.View != "" {
		place = f.View + ", " + place
	}
	s := fmt.Sprintf("%s (%d): %s, %s", f.Kind, f.Count, place, f.Where)
	if f.Detail != "" {
		s += ": " + f.Detail
	}
	if f.Repaired {
		s += " [repaired]"
	}
	return s
}

// Checked counts what was looked at.
type Checked struct {
	Hours  uint64 `json:"hours"` // of post_metrics_1h, in each partition
	Days   uint64 `json:"days"`  // of user_author_90d, in each partition
	Ranges uint64 `json:"ranges"`
	Rows   uint64 `json:"rows"` // of the raw table, by their offsets
}

// Report is the result of an audit.
type Report struct {
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at"`
	From       time.Time `json:"from"` // what happened since then was looked at, as far as the raw table is complete
	Repair     bool      `json:"repair"`
	Checked    Checked   `json:"checked"`
	// Findings are the first thousand; Counts has the places of all, by kind.
	Findings []Finding       `json:"findings"`
	Counts   map[Kind]uint64 `json:"counts"`
	// Pending are partitions whose counts differ because their owner has not finished a batch: it, or
	// its successor, will put them right; or because an erasure is not finished, which will.
	Pending []uint16 `json:"pending,omitempty"`
	// Withheld are partitions whose counts were not repaired, because the raw table itself is wrong
	// there: a recount would carry that on.
	Withheld []uint16 `json:"withheld,omitempty"`
	Repaired uint64   `json:"repaired"`        // buckets
	Error    string   `json:"error,omitempty"` // why the audit ended early; the rest is what it had found by then
}

const maxFindings = 1000

func (r *Report) add(f Finding) {
	r.Counts[f.Kind]++
	if len(r.Findings) < maxFindings {
		r.Findings = append(r.Findings, f)
	}
}

// OK tells whether the audit came to its end and everything is as it must be, or is again.
func (r *Report) OK() bool {
	return r.Error == "" && !slices.ContainsFunc(r.Findings, func(f Finding) bool { return !f.Repaired })
}

// rawIsWrong tells whether the raw table cannot be trusted in a partition.
func (r *Report) rawIsWrong(partition uint16) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool {
		switch f.Kind {
		case RawMissing, RawSurplus, OffsetTwice, EventTwice:
			return f.Partition == partition
		default:
			return false
		}
	}) || len(r.Findings) == maxFindings // what was left out may have been about this partition
}
