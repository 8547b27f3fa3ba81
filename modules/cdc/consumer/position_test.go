package consumer

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

func TestOffsetMetadataIsReadAsItWasWritten(t *testing.T) {
	l := envelope.Leader{System: 7, Epoch: 4}
	for _, m := range []offsetMetadata{{topicID: "ab", leader: l}, {topicID: "ab"}, {leader: l}, {}} {
		require.Equal(t, m, parseMetadata(m.String()), "as it is committed with an offset")
	}
	require.Equal(t, offsetMetadata{topicID: "ab"}, parseMetadata("ab not numbers"))
}
