package harness

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Phase is what a load found.
type Phase struct {
	Name     string                  `json:"name"`
	Rate     float64                 `json:"rate,omitempty"` // asked for, a second
	Seconds  float64                 `json:"seconds"`
	Requests int64                   `json:"requests"`
	PerSec   float64                 `json:"per_second"`             // answered without an error
	Latency  map[string]*Percentiles `json:"latency_ms"`             // by kind, and all
	Late     *Percentiles            `json:"sent_late_ms,omitempty"` // of an open load: the generator's own delay, part of the latencies
	Errors   map[string]int64        `json:"errors,omitempty"`
	Labels   map[string]int64        `json:"labels,omitempty"`
	Usage    map[string]Usage        `json:"usage"` // by process
}

// Failed is how many requests failed.
func (p *Phase) Failed() (n int64) {
	for _, of := range p.Errors {
		n += of
	}
	return n
}

// CPU is what some processes used for each request, in milliseconds; of no names: all but the
// generator.
func (p *Phase) CPU(names ...string) float64 {
	seconds := 0.0
	for name, u := range p.Usage {
		if len(names) == 0 && name != generatorName && name != othersName {
			seconds += u.CPUSeconds
		}
		for _, wanted := range names {
			if name == wanted {
				seconds += u.CPUSeconds
			}
		}
	}
	return 1000 * seconds / float64(max(1, p.Requests))
}

// Share is the share of a label among the answers that have one.
func (p *Phase) Share(label string) float64 {
	all := int64(0)
	for _, n := range p.Labels {
		all += n
	}
	return float64(p.Labels[label]) / float64(max(1, all))
}

// Above is the CPU of some processes for each request, in milliseconds, without what they use when
// nothing is asked of them.
func (p *Phase) Above(idle *Phase, names ...string) float64 {
	perSecond := func(p *Phase) float64 { return p.CPU(names...) * float64(max(1, p.Requests)) / p.Seconds }
	return (perSecond(p) - perSecond(idle)) * p.Seconds / float64(max(1, p.Requests))
}

// Idle looks at the processes while nothing is asked of them.
func (on *Environment) Idle(ctx context.Context, name string, lasting time.Duration) (*Phase, error) {
	on.Tell("%s: %s", name, lasting)
	watch := on.Watch(nil)
	if err := worker.Pause(ctx, lasting); err != nil {
		watch.End()
		return nil, err
	}
	p := &Phase{Name: name, Seconds: lasting.Seconds(), Latency: map[string]*Percentiles{All: {}}, Usage: watch.End()}
	on.Add(p)
	return p, nil
}
