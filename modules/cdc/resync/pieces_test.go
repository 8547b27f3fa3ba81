package resync

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOnlyAComparisonAtAPaceGivesWay(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	w := walk{copies: time.Hour}
	require.NoError(t, w.giveWay(ended))
	w.options.RowsPerSecond = 1
	require.Error(t, w.giveWay(ended), "it would have waited")
}
