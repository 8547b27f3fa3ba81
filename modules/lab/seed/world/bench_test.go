package world_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/seed/world"
)

// One event of the reference world: 100k users, 5M follows, 400k posts.
func BenchmarkEvent(b *testing.B) {
	opts, err := world.Scale(world.Reference)
	require.NoError(b, err)
	opts.Now = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	start := time.Now()
	w, err := world.New(opts)
	require.NoError(b, err)
	b.Logf("the world took %s", time.Since(start))
	b.ResetTimer()
	b.ReportAllocs()
	made := 0
	for made < b.N {
		for session := range w.Sessions() {
			if made += len(session); made >= b.N {
				break
			}
		}
	}
	b.ReportMetric(float64(made)/b.Elapsed().Seconds(), "events/s")
}
