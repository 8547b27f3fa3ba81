package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
)

func TestMain(m *testing.M) {
	embedded.RunChildIfAsked()
	workIfAsked()
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"))
}

func TestWhateverIsKilledTheTablesAreEqual(t *testing.T) { killed(t, core.IntegerKeys) }

func TestWhateverIsKilledTheTablesAreEqualWithUUIDs(t *testing.T) { killed(t, core.UUIDKeys) }

func killed(t *testing.T, keys core.KeyForm) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	r, err := run(ctx, options{
		seed: 1, keys: keys, kills: 2, freezes: 1, writers: 3, drain: 2 * time.Minute, say: t.Logf,
	})
	require.NoError(t, err)
	t.Log(r.line())
	require.Empty(t, r.wrong)
	require.Equal(t, 12, r.kills)
	require.Positive(t, r.rows)
}
