package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// A log may end in offsets that hold nothing for who reads committed records: the marker of a transaction, or
// all of one that was taken back. Nothing comes from them, so a reader that waits for the last offset waits for
// ever. The client does not tell that it has passed them; so who has nothing to read asks the broker itself.

// Markers passes offsets without a record in the partitions of one client.
type Markers struct {
	client  sarama.Client
	workers sync.WaitGroup
}

// look is how often a partition that stands still is looked at.
const look = time.Second

// Follow has a queue pass what holds no record, until ctx ends.
func (m *Markers) Follow(ctx context.Context, q *Queue, claim sarama.ConsumerGroupClaim) {
	m.workers.Go(func() {
		ticks := time.NewTicker(look)
		defer ticks.Stop()
		stood := int64(-1)
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
			next, idle := q.idle()
			if next < 0 {
				next = claim.InitialOffset()
			}
			if !idle || next < 0 || claim.HighWaterMarkOffset() <= next {
				continue
			}
			if next != stood { // a record may be on its way
				stood = next
				continue
			}
			// else it asks again
			if upto, err := passable(m.client, claim.Topic(), claim.Partition(), next); err == nil && upto > next {
				q.pass(upto)
			}
		}
	})
}

// passable is how far a partition holds no record from an offset on.
func passable(client sarama.Client, topic string, partition int32, from int64) (upto int64, err error) {
	found := false
	upto, err = scan(client, topic, partition, from, 1<<62, func(int64) bool { found = true; return false })
	if found || err != nil {
		return from, err
	}
	return upto, nil
}

// Bounds are where the records of a partition begin and end: the oldest offset, and the one after the last record
// that is committed; equal if there is none.
func Bounds(client sarama.Client, topic string, partition int32) (oldest, end int64, err error) {
	if oldest, err = client.GetOffset(topic, partition, sarama.OffsetOldest); err != nil {
		return 0, 0, err
	}
	newest, err := client.GetOffset(topic, partition, sarama.OffsetNewest)
	if err != nil {
		return 0, 0, err
	}
	end = oldest
	for back := int64(1); end == oldest && newest > oldest; back *= 4 {
		from := max(oldest, newest-back)
		if _, err := scan(client, topic, partition, from, newest,
			func(last int64) bool { end = last + 1; return true }); err != nil {
			return 0, 0, err
		}
		if from == oldest {
			break
		}
	}
	return oldest, end, nil
}

// scan looks at what is stored from an offset on, before another, and tells each the last offset of records that
// are committed, until it says no. It returns the offset after what it looked at: less than to where a
// transaction is open, or where the log ends.
func scan(client sarama.Client, topic string, partition int32, from, to int64, each func(last int64) bool) (next int64,
	err error,
) {
	for next = from; next < to; {
		block, err := fetch(client, topic, partition, next)
		if err != nil {
			return next, fmt.Errorf("look at %s/%d@%d: %w", topic, partition, next, err)
		}
		before := next
		aborted := newAborted(block.AbortedTransactions)
		for _, records := range block.RecordsSet {
			last, holds := aborted.holds(records)
			if last >= before {
				if holds && !each(last) {
					return last + 1, nil
				}
				next = max(next, last+1)
			}
		}
		if next == before { // the end, or that of what is decided
			return next, nil
		}
	}
	return next, nil
}

func fetch(client sarama.Client, topic string, partition int32, at int64) (*sarama.FetchResponseBlock, error) {
	broker, err := client.Leader(topic, partition)
	if err != nil {
		return nil, err
	}
	request := &sarama.FetchRequest{ // at once, with what there is
		Version: 11, MaxBytes: client.Config().Consumer.Fetch.Default, Isolation: sarama.ReadCommitted,
		SessionEpoch: -1,
	}
	request.AddBlock(topic, partition, at, request.MaxBytes, -1)
	response, err := broker.Fetch(request)
	if err != nil {
		return nil, err
	}
	block := response.GetBlock(topic, partition)
	if block == nil {
		return nil, sarama.ErrIncompleteResponse
	}
	if block.Err != sarama.ErrNoError {
		return nil, block.Err
	}
	return block, nil
}

// aborted tells records of transactions that were taken back from others.
type aborted struct {
	ahead []*sarama.AbortedTransaction // by their first offset
	under map[int64]bool               // producers in the middle of one
}

func newAborted(all []*sarama.AbortedTransaction) *aborted {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b *sarama.AbortedTransaction) int { return int(a.FirstOffset - b.FirstOffset) })
	return &aborted{all, map[int64]bool{}}
}

// holds tells the last offset of a batch, and whether it has records that are committed.
func (a *aborted) holds(records *sarama.Records) (last int64, committed bool) {
	batch := records.RecordBatch
	if batch == nil { // of before transactions
		if messages := records.MsgSet.Messages; len(messages) > 0 {
			return messages[len(messages)-1].Offset, true
		}
		return -1, false
	}
	last = batch.LastOffset()
	for len(a.ahead) > 0 && a.ahead[0].FirstOffset <= last {
		a.under[a.ahead[0].ProducerID] = true
		a.ahead = a.ahead[1:]
	}
	if batch.Control {
		if aborts(batch) {
			delete(a.under, batch.ProducerID)
		}
		return last, false
	}
	return last, len(batch.Records) > 0 && (!batch.IsTransactional || !a.under[batch.ProducerID])
}

// aborts tells whether a marker takes its transaction back: version and type are its key, and 0 is that type.
func aborts(marker *sarama.RecordBatch) bool {
	return len(marker.Records) > 0 && len(marker.Records[0].Key) >= 4 &&
		binary.BigEndian.Uint16(marker.Records[0].Key[2:]) == 0
}
