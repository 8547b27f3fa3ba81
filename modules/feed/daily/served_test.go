package daily_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/feed/daily"
)

type book struct {
	away   bool
	counts map[string]int64
}

func (b *book) AddServed(_ context.Context, day time.Time, counts map[string]int64) error {
	if b.away {
		return errors.New("away")
	}
	for from, n := range counts {
		b.counts[day.Format(time.DateOnly)+" "+from] += n
	}
	return nil
}

func TestCountsWaitForAStoreThatIsAwayAndStayWithTheirDay(t *testing.T) {
	b := &book{counts: map[string]int64{}, away: true}
	s := daily.NewServed(b)
	ctx, day := context.Background(), time.Date(2026, 5, 4, 23, 59, 59, 0, time.UTC)
	s.Count(day, "cache")
	s.Count(day, "cache")
	require.Error(t, s.Flush(ctx))
	s.Count(day, "stale")
	s.Count(day.Add(time.Second), "cache")
	b.away = false
	require.NoError(t, s.Flush(ctx))
	require.NoError(t, s.Flush(ctx), "once only")
	require.Equal(t, map[string]int64{"2026-05-04 cache": 2, "2026-05-04 stale": 1, "2026-05-05 cache": 1}, b.counts)
}
