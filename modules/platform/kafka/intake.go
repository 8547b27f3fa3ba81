package kafka

import (
	"context"
	"sync"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/core"
)

// Intake brings the records of a claimed partition into a queue. The client fetches for all partitions at once, so
// one whose batch takes long must not keep it waiting: what was fetched waits here.
type Intake struct {
	Claim   sarama.ConsumerGroupClaim
	Queue   *Queue
	Markers *Markers
	Backlog *Backlog
	Labels  []string // of the backlog's metrics
}

// NewClaimQueue makes the queue of a claimed partition. While it holds more than high bytes the group does not fetch
// the partition; paused is told each time that begins.
func NewClaimQueue(group sarama.ConsumerGroup, claim sarama.ConsumerGroupClaim, high int64, clock core.Clock,
	paused func(),
) *Queue {
	one := map[string][]int32{claim.Topic(): {claim.Partition()}}
	return NewQueue(high, clock, func() { paused(); group.Pause(one) }, func() { group.Resume(one) })
}

// While fills the queue while work empties it, and closes it once no more records come: the session ends. It returns
// work's error after the filling has ended, too.
func (i Intake) While(ctx context.Context, work func(context.Context) error) error {
	defer i.Backlog.Watch(i.Queue, i.Claim, i.Labels...)()
	ctx, cancel := context.WithCancel(ctx)
	i.Markers.Follow(ctx, i.Queue, i.Claim)
	var filling sync.WaitGroup
	defer filling.Wait()
	defer cancel()
	filling.Go(func() { i.fill(ctx) })
	return work(ctx)
}

func (i Intake) fill(ctx context.Context) {
	defer i.Queue.Close()
	for {
		select {
		case m, ok := <-i.Claim.Messages():
			if !ok {
				return
			}
			i.Queue.Push(m)
		case <-ctx.Done():
			return
		}
	}
}
