package filters

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/idset"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

var passed int // so that nothing is left out as unused

// BenchmarkReject is what the filters cost a page of 500 candidates.
func BenchmarkReject(b *testing.B) {
	var seen, hidden idset.Set
	for i := range 500 {
		seen.Add(core.ID(100000 + i))
	}
	v := Viewer{Seen: &seen, Hidden: &hidden}
	v.Begin(NewSet(All(), prometheus.NewRegistry()), 1)
	b.ReportAllocs()
	for b.Loop() {
		for i := range 500 {
			author := reserve.Author{ID: core.ID(i + 2), Relation: reserve.Follows}
			if v.Reject(Ranked, Post{ID: core.ID(i + 1), Author: author}) == nil {
				passed++
			}
		}
	}
}
