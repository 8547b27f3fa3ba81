package worker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

func TestAfterAStepComesARestOfSoManyTimesWhatItTook(t *testing.T) {
	r := worker.NewRest(4, 0)
	require.Negative(t, r.Left())
	r.Begin(time.Hour)
	require.InDelta(t, 4, r.Left().Hours(), 0.1)
	bounded := worker.NewRest(4, time.Minute)
	bounded.Begin(time.Hour)
	require.LessOrEqual(t, bounded.Left(), time.Minute)
}
