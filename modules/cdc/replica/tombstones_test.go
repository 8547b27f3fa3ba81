package replica

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func TestATruncateTakesWhatWasWrittenBeforeIt(t *testing.T) {
	truncate := envelope.SourcePosition{LSN: 500, CommittedAt: noon}
	known := envelope.SourcePosition{LSN: 500, Log: 7, CommittedAt: noon}
	for name, c := range map[string]struct {
		truncate, row envelope.SourcePosition
		dies          bool
	}{
		"before": {truncate, envelope.SourcePosition{LSN: 499, CommittedAt: noon}, true},
		"after":  {truncate, envelope.SourcePosition{LSN: 501, CommittedAt: noon}, false},
		"before, the clock stepped back": {
			truncate,
			envelope.SourcePosition{LSN: 499, CommittedAt: noon.Add(time.Second)},
			true,
		},
		"of a rebuilt cluster": {
			truncate,
			envelope.SourcePosition{LSN: 3, CommittedAt: noon.Add(time.Hour)},
			false,
		},
		"left from the cluster before": {
			envelope.SourcePosition{LSN: 3, CommittedAt: noon},
			envelope.SourcePosition{LSN: 900, CommittedAt: noon.Add(-time.Hour)},
			true,
		},
		"same known cluster, odd clock": {
			known,
			envelope.SourcePosition{LSN: 3, Log: 7, CommittedAt: noon.Add(time.Hour)},
			true,
		},
		"same known cluster, after": {
			known,
			envelope.SourcePosition{LSN: 501, Log: 7, CommittedAt: noon.Add(-time.Hour)},
			false,
		},
		"another known cluster, written then": {
			known,
			envelope.SourcePosition{LSN: 900, Log: 8, CommittedAt: noon.Add(-time.Second)},
			true,
		},
		"another known cluster, since": {known, envelope.SourcePosition{
			LSN: 3, Log: 8,
			CommittedAt: noon.Add(time.Second),
		}, false},
	} {
		require.Equal(t, c.dies, truncatedBy(c.row, c.truncate), name)
	}
}

func TestTheLastTruncateOfAClusterIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []envelope.SourcePosition
		var kept Tombstones
		lsn := uint64(0)
		at := noon
		for range rapid.IntRange(1, 8).Draw(t, "truncates") {
			lsn += rapid.Uint64Range(1, 50).Draw(t, "lsn")
			at = at.Add(rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour}).Draw(t, "later"))
			next := envelope.SourcePosition{LSN: lsn, CommittedAt: at, Log: 7}
			all = append(all, next)
			kept = kept.Add(next)
		}
		require.Len(t, kept, 1)
		row := envelope.SourcePosition{LSN: rapid.Uint64Range(0, 400).Draw(t, "row"), Log: 7, CommittedAt: noon}
		dies := false
		for _, each := range all {
			dies = dies || truncatedBy(row, each)
		}
		require.Equal(t, dies, kept.Truncated(row))
	})
}
