package main

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/embedded"
)

func TestMain(m *testing.M) {
	embedded.RunChildIfAsked()
	consumeIfAsked()
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"))
}

func TestEveryEventCountsOnceWhateverIsKilled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	o := shortDrill(1)
	o.say = t.Logf
	r, err := run(ctx, o)
	require.NoError(t, err)
	t.Log(r.line())
	require.True(t, r.clean(), r.line())
	require.Equal(t, 11, r.Kills, "every disturbance of the plan happened")
	if dir := os.Getenv("FEEDRANK_TEST_REPORTS"); dir != "" {
		_, err := r.write(dir)
		require.NoError(t, err)
	}
}
