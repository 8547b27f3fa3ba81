package feed

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAfterAComputationThatNobodyWaitedForComesARest(t *testing.T) {
	var r rest
	require.Negative(t, r.left())
	r.ended(time.Now().Add(-time.Hour))
	require.InDelta(t, restTimes, r.left().Hours(), 0.1)
}
