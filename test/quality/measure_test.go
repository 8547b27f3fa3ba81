package quality

import (
	"math"
	"slices"

	"github.com/feedrank/feedrank/modules/core"
)

// The figures. A post's gain is what the viewer later did with it: see gainOf.

// ndcg is the discounted gain of a page over that of the best possible page.
func ndcg(page []core.ID, gains map[core.ID]float64) float64 {
	got := 0.0
	for place, post := range page {
		got += gains[post] / math.Log2(float64(place)+2)
	}
	best := make([]float64, 0, len(gains))
	for _, gain := range gains {
		best = append(best, gain)
	}
	slices.SortFunc(best, func(a, b float64) int { return int(b - a) })
	ideal := 0.0
	for place, gain := range best[:min(places, len(best))] {
		ideal += gain / math.Log2(float64(place)+2)
	}
	if ideal == 0 {
		return 0
	}
	return got / ideal
}

// hits tells whether the viewer did something with a post of the page.
func hits(page []core.ID, gains map[core.ID]float64) float64 {
	if slices.ContainsFunc(page, func(post core.ID) bool { return gains[post] > 0 }) {
		return 1
	}
	return 0
}

// overlap is the part of a page that another one has, too.
func overlap(page, other []core.ID) float64 {
	if len(page) == 0 {
		return 0
	}
	n := 0
	for _, post := range page {
		if slices.Contains(other, post) {
			n++
		}
	}
	return float64(n) / float64(len(page))
}

// gini tells how unevenly something is shared: 0 everybody the same, 1 one has all.
func gini(counts []int) float64 {
	slices.Sort(counts)
	sum, weighted := 0, 0
	for i, n := range counts {
		sum += n
		weighted += (2*(i+1) - len(counts) - 1) * n
	}
	if sum == 0 {
		return 0
	}
	return float64(weighted) / float64(len(counts)*sum)
}
