package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/partition"
	"github.com/feedrank/feedrank/modules/lab/embedded"
)

func TestMain(m *testing.M) {
	embedded.RunChildIfAsked()
	consumeIfAsked()
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"))
}

func TestEveryEventCountsOnceWhateverIsKilled(t *testing.T) { disturbed(t, core.IntegerKeys) }

func TestEveryEventCountsOnceWithUUIDsWhateverIsKilled(t *testing.T) { disturbed(t, core.UUIDKeys) }

func disturbed(t *testing.T, keys core.KeyForm) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	o := shortDrill(1)
	o.say, o.keys = t.Logf, keys
	r, err := run(ctx, o)
	require.NoError(t, err)
	t.Log(r.line())
	require.True(t, r.clean(), "%s\n%s", r.line(), strings.Join(r.Examples, "\n"))
	require.Equal(t, 12, r.Kills, "every disturbance of the plan happened")
	if dir := os.Getenv("FEEDRANK_TEST_REPORTS"); dir != "" {
		_, err := r.write(dir)
		require.NoError(t, err)
	}
}

// TestWhoeverWakesIsRefusedByTheFenceAlone has owners stop when they have decided to insert, others take
// the partition and apply the same records, and the former ones wake, with their connections alive. The
// same drill without the fence must find that they doubled what they inserted.
func TestWhoeverWakesIsRefusedByTheFenceAlone(t *testing.T) {
	for _, unfenced := range []bool{false, true} {
		t.Run(fmt.Sprintf("unfenced=%t", unfenced), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
			defer cancel()
			r, err := run(ctx, options{
				seed: 1, records: 40_000, partitions: 4, batch: 600, drain: 4 * time.Minute, say: t.Logf,
				unfenced:  unfenced,
				consumers: []action{{freezeConsumer, partition.AtInserting}, {freezeConsumer, partition.AtSealed}},
			})
			require.NoError(t, err)
			t.Log(r.line())
			if !unfenced {
				require.True(t, r.clean(), "%s\n%s", r.line(), strings.Join(r.Examples, "\n"))
				return
			}
			require.Positive(t, r.Double, r.line())
			require.Positive(t, r.ViewsWrong, r.line())
			require.Zero(t, r.Absent, "two owners may say two things of a range, and both have written its rows")
		})
	}
}
