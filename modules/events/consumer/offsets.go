package consumer

import "github.com/feedrank/feedrank/modules/platform/kafka"

// logOffsets is where Kafka lets a partition begin.
type logOffsets struct {
	next           int64 // by Kafka's account: the committed offset, or the oldest
	oldest, newest int64 // what the log holds when the session begins: oldest to newest-1
}

// start is the offset from which to fetch, for a ledger that says next; it is always in the log.
func (o logOffsets) start(next int64) int64 { return min(max(next, o.oldest), o.newest) }

// readOffsets asks Kafka where a partition may begin.
func (c *Consumer) readOffsets(r kafka.OffsetReader, partition int32) (logOffsets, error) {
	read, err := r.Offsets(groupName, map[string][]int32{c.topic: {partition}})
	if err != nil {
		return logOffsets{}, err
	}
	at := read[c.topic][partition]
	o := logOffsets{next: at.Committed, oldest: at.Oldest, newest: at.Newest}
	if at.Committed < 0 {
		o.next = o.oldest
	}
	return o, nil
}
