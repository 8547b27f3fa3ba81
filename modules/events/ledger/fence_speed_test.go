package ledger

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/stack"
)

// BenchmarkFence is what ClickHouse takes for an insert of 10,000 rows, with the fence and without.
func BenchmarkFence(b *testing.B) {
	for _, fenced := range []bool{true, false} {
		b.Run(fmt.Sprintf("fenced=%t", fenced), func(b *testing.B) {
			s := stack.OfEvents(b)
			if !fenced {
				s.Exec(b, "ALTER TABLE events DROP CONSTRAINT fenced")
			}
			l := ledgerOf(s, 0)
			f := nextFence(b, l)
			const size = 10_000
			rows := make([]Row, size)
			b.ResetTimer()
			for i := range b.N {
				for k := range rows {
					rows[k] = oneRow(int64(i*size + k))
				}
				require.NoError(b, l.Insert(b.Context(), f, rows, false))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/size, "ns/event")
		})
	}
}
