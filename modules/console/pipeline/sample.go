package pipeline

import (
	"math"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/feedrank/feedrank/modules/core"
)

const (
	sampleEvery = 500 * time.Millisecond
	keepSamples = 10 * time.Second // rates are of so long
	forgetAfter = time.Minute      // a sample that is older says nothing of now
)

// Sampler keeps what was measured lately. It is safe for concurrent use.
type Sampler struct {
	gather prometheus.Gatherer
	clock  core.Clock

	mu      sync.Mutex
	samples []*sample // the latest is the last
}

// NewSampler makes a sampler that has measured nothing.
func NewSampler(gather prometheus.Gatherer, clock core.Clock) *Sampler {
	return &Sampler{gather: gather, clock: clock}
}

// sample is every metric at one time.
type sample struct {
	at       time.Time
	families map[string]*dto.MetricFamily
}

// reading is two samples: what is now, and what to compare it with. before is nil where nobody looked lately.
type reading struct {
	now, before *sample
}

// read measures, unless that was done a moment ago.
func (s *Sampler) read() (reading, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	if n := len(s.samples); n == 0 || now.Sub(s.samples[n-1].at) >= sampleEvery {
		families, err := s.gather.Gather()
		if len(families) == 0 && err != nil {
			return reading{}, err
		}
		next := &sample{at: now, families: make(map[string]*dto.MetricFamily, len(families))}
		for _, family := range families {
			next.families[family.GetName()] = family
		}
		s.samples = append(s.samples, next)
	}
	for len(s.samples) > 2 && now.Sub(s.samples[1].at) > keepSamples ||
		len(s.samples) > 1 && now.Sub(s.samples[0].at) > forgetAfter {
		s.samples = s.samples[1:]
	}
	out := reading{now: s.samples[len(s.samples)-1]}
	if len(s.samples) > 1 {
		out.before = s.samples[0]
	}
	return out, nil
}

// label is what a series must say of itself; a value that ends with * is a beginning.
type label struct{ name, value string }

func matches(m *dto.Metric, wanted []label) bool {
	for _, w := range wanted {
		held := false
		for _, l := range m.GetLabel() {
			if l.GetName() != w.name {
				continue
			}
			begin, open := strings.CutSuffix(w.value, "*")
			held = l.GetValue() == w.value || open && strings.HasPrefix(l.GetValue(), begin)
		}
		if !held {
			return false
		}
	}
	return true
}

func valueOf(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.GetCounter().GetValue()
	case m.Gauge != nil:
		return m.GetGauge().GetValue()
	case m.Histogram != nil:
		return float64(m.GetHistogram().GetSampleCount())
	}
	return m.GetUntyped().GetValue()
}

// total sums the series of a metric; of a histogram, how often it observed.
func (s *sample) total(name string, wanted ...label) (sum float64, known bool) {
	for _, m := range s.families[name].GetMetric() {
		if matches(m, wanted) {
			sum, known = sum+valueOf(m), true
		}
	}
	return sum, known
}

// has tells whether this process measures something, even if nothing happened yet.
func (r reading) has(name string) bool { return r.now.families[name] != nil }

func (r reading) sum(name string, wanted ...label) float64 {
	sum, _ := r.now.total(name, wanted...)
	return sum
}

// most is the largest of the series.
func (r reading) most(name string, wanted ...label) (float64, bool) {
	most, known := math.Inf(-1), false
	for _, m := range r.now.families[name].GetMetric() {
		if matches(m, wanted) {
			most, known = max(most, valueOf(m)), true
		}
	}
	return most, known
}

// grown is by how much a counter rose since the other sample.
func (r reading) grown(name string, wanted ...label) float64 {
	if r.before == nil {
		return 0
	}
	now, _ := r.now.total(name, wanted...)
	before, _ := r.before.total(name, wanted...)
	return max(0, now-before)
}

// seconds is how long that is ago; zero where there is none.
func (r reading) seconds() float64 {
	if r.before == nil {
		return 0
	}
	return r.now.at.Sub(r.before.at).Seconds()
}

// rate is in a second.
func (r reading) rate(name string, wanted ...label) float64 {
	if s := r.seconds(); s > 0 {
		return r.grown(name, wanted...) / s
	}
	return 0
}

// quantile of a histogram: of what came since the other sample, or of all if nothing did. It is the upper end of a
// bucket.
func (r reading) quantile(q float64, name string, wanted ...label) (float64, bool) {
	buckets, all := r.now.buckets(name, wanted)
	if r.before != nil {
		before, n := r.before.buckets(name, wanted)
		if all > n {
			all -= n
			for i := range before {
				if i < len(buckets) {
					buckets[i].count -= before[i].count
				}
			}
		}
	}
	for _, b := range buckets {
		if all > 0 && b.count >= q*all {
			return b.upper, true
		}
	}
	return 0, false
}

type bucket struct{ upper, count float64 }

func (s *sample) buckets(name string, wanted []label) (sums []bucket, all float64) {
	for _, m := range s.families[name].GetMetric() {
		if !matches(m, wanted) {
			continue
		}
		all += float64(m.GetHistogram().GetSampleCount())
		for i, b := range m.GetHistogram().GetBucket() {
			if i == len(sums) {
				sums = append(sums, bucket{upper: b.GetUpperBound()})
			}
			sums[i].count += float64(b.GetCumulativeCount())
		}
	}
	return sums, all
}
