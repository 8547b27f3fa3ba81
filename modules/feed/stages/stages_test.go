package stages_test

import (
	"context"
	"errors"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/feed/stages"
)

func TestStagesRunInTheirOrderUntilOneFailsAndThoseThatEndedAreTimed(t *testing.T) {
	reg := prometheus.NewRegistry()
	failure := errors.New("the server is away")
	visit := func(name string, err error) func(context.Context, *[]string) error {
		return func(_ context.Context, on *[]string) error {
			*on = append(*on, name)
			return err
		}
	}
	way := stages.NewWay[*[]string](stages.NewSeconds(reg)).
		Then("hydrate", visit("hydrate", nil)).
		Then("reserve", visit("reserve", nil)).
		Then("page", visit("page", failure)).
		Then("encode", visit("encode", nil))

	var visited []string
	var records []stages.Record
	require.ErrorIs(t, way.Run(t.Context(), &visited, &records), failure)
	require.Equal(t, []string{"hydrate", "reserve", "page"}, visited)
	require.Len(t, records, 2, "one that fails has not ended")
	require.Equal(t, "hydrate", records[0].Name)
	require.Equal(t, "reserve", records[1].Name)
	require.Equal(t, map[string]uint64{"hydrate": 1, "reserve": 1, "page": 0, "encode": 0}, timed(t, reg))

	require.ErrorIs(t, way.Run(t.Context(), &visited, nil), failure, "nobody has to ask for records")
	require.Equal(t, map[string]uint64{"hydrate": 2, "reserve": 2, "page": 0, "encode": 0}, timed(t, reg))
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Empty(t, problems)
}

// timed is how often each stage was timed.
func timed(t *testing.T, reg *prometheus.Registry) map[string]uint64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	n := map[string]uint64{}
	for _, family := range families {
		require.Equal(t, "feedrank_feed_stage_seconds", family.GetName())
		for _, m := range family.GetMetric() {
			n[m.GetLabel()[0].GetValue()] = m.GetHistogram().GetSampleCount()
		}
	}
	return n
}
