//go:build real

package real_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

func TestOurDecoderReadsWhateverDebeziumSends(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(goldenDir, "*.jsonl"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	ops := map[envelope.Op]int{}
	for _, file := range files {
		for _, line := range load(t, file) {
			if !strings.HasPrefix(line.Topic, "cdc.") || line.Topic == "cdc.transaction" {
				continue // not rows: nobody reads these topics
			}
			where := []any{"%s %s@%d", file, line.Topic, line.Offset}
			r, err := envelope.Decode(line.Key, line.Value)
			if strings.HasSuffix(line.Topic, ".keyless") && r.Op != envelope.Truncate {
				require.Equal(t, envelope.ReasonNoKey, envelope.ReasonOf(err), where...)
				continue
			}
			require.NoError(t, err, where...)
			if r.Tombstone {
				require.Empty(t, line.Value, where...)
				continue
			}
			ops[r.Op]++
			require.Equal(t, "cdc."+r.Source.Schema+"."+r.Source.Table, rowTopic(line.Topic), where...)
			require.False(t, r.Source.CommittedAt.IsZero(), where...)
			if r.Source.Snapshot == envelope.Incremental {
				continue // it has no place in the log
			}
			require.NotZero(t, r.Source.LSN, where...)
		}
	}
	for _, op := range []envelope.Op{
		envelope.Create, envelope.Update, envelope.Delete, envelope.Read,
		envelope.Truncate, envelope.Message,
	} {
		require.NotZero(t, ops[op], op)
	}
}

// rowTopic is the topic of rows; a message names no table.
func rowTopic(topic string) string {
	if topic == "cdc.message" {
		return "cdc.."
	}
	return topic
}
