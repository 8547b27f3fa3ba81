package resync

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOnlyAComparisonAtAPaceIdles(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	w := walk{copies: time.Hour}
	require.NoError(t, w.idle(ended))
	w.options.RowsPerSecond = 1
	require.Error(t, w.idle(ended), "it would have waited")
}
