package events

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/events/ledger"
)

func TestSettingsThatDoNotFitEachOtherAreNamed(t *testing.T) {
	require.Empty(t, DefaultConfig().Check())
	cfg := DefaultConfig()
	cfg.AcceptedAge, cfg.Retention = ledger.RawRetention/2, ledger.RawRetention/2
	cfg.Dedup.Window = cfg.Batch.MaxRows
	cfg.Batch.QueueBytes = cfg.Batch.MaxBytes - 1
	wrong := cfg.Check()
	require.Len(t, wrong, 3)
	for _, key := range []string{"accepted_age", "dedup.window", "batch.queue_bytes"} {
		require.Contains(t, wrong, key)
	}
}
