package consumer

import (
	"strconv"
	"strings"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

// offsetMetadata is what is committed with an offset: the incarnation of the topic that it belongs to, and who
// led then.
type offsetMetadata struct {
	topicID string
	leader  envelope.Leader
}

func (m offsetMetadata) String() string {
	if m.leader.Epoch == 0 {
		return m.topicID
	}
	return m.topicID + " " + strconv.FormatUint(m.leader.System, 10) + " " + strconv.FormatUint(m.leader.Epoch, 10)
}

// parseMetadata reads one; what does not say a leader has none.
func parseMetadata(text string) (m offsetMetadata) {
	parts := strings.Split(text, " ")
	m.topicID = parts[0]
	if len(parts) != 3 {
		return m
	}
	system, err1 := strconv.ParseUint(parts[1], 10, 64)
	epoch, err2 := strconv.ParseUint(parts[2], 10, 64)
	if err1 == nil && err2 == nil {
		m.leader = envelope.Leader{System: system, Epoch: epoch}
	}
	return m
}
