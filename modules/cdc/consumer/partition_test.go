package consumer

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/wait"
)

// pausedGroup notes what a consumer of a partition asks of the group, and stands for its session.
type pausedGroup struct {
	sarama.ConsumerGroup
	sarama.ConsumerGroupSession
	ctx context.Context

	mu     sync.Mutex
	paused map[string][]int32
	told   int
}

func (g *pausedGroup) Pause(p map[string][]int32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.paused, g.told = p, g.told+1
}

func (g *pausedGroup) Resume(map[string][]int32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.paused = nil
}

func (g *pausedGroup) is(topic string, partition int32) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Contains(g.paused[topic], partition)
}

func (g *pausedGroup) Context() context.Context                { return g.ctx }
func (g *pausedGroup) Errors() <-chan error                    { return nil }
func (g *pausedGroup) Commit()                                 {}
func (g *pausedGroup) MarkOffset(string, int32, int64, string) {}

// claimed is a partition with records to read.
type claimed struct {
	sarama.ConsumerGroupClaim
	messages chan *sarama.ConsumerMessage
}

func (c *claimed) Topic() string                            { return "cdc.public.users" }
func (c *claimed) Partition() int32                         { return 3 }
func (c *claimed) HighWaterMarkOffset() int64               { return 20 }
func (c *claimed) InitialOffset() int64                     { return 0 }
func (c *claimed) Messages() <-chan *sarama.ConsumerMessage { return c.messages }

func TestAPartitionWhoseQueueIsFullIsPausedUntilItIsApplied(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	defer end()
	cfg := DefaultConfig()
	cfg.QueueBytes, cfg.BatchRows, cfg.OnForeign = 1<<10, 1, "dead_letter"
	m, err := mapping.New(mapping.Default(), "cdc")
	require.NoError(t, err)
	metrics := newMetrics(prometheus.NewRegistry(), core.SystemClock{})
	c := &Consumer{
		target:  target{cfg: cfg, clock: core.SystemClock{}, log: zap.NewNop(), metrics: metrics},
		mapping: m, rejects: newRejects(metrics.fails, zap.NewNop()),
	}
	jobs := make(chan *job) // nobody writes
	group := &pausedGroup{ctx: ctx}
	h := &handler{
		consumer: c, group: group, markers: new(kafka.Markers),
		session: &session{topics: map[string]*topic{"cdc.public.users": {
			leaders: map[int32]envelope.Leader{}, writer: &writer{
				table:   "public.users",
				sources: m.Sources("public.users"), jobs: jobs,
			},
		}}},
	}
	claim := &claimed{messages: make(chan *sarama.ConsumerMessage, 100)}
	for offset := range int64(20) {
		claim.messages <- &sarama.ConsumerMessage{
			Topic: claim.Topic(), Partition: 3, Offset: offset,
			Key: []byte(`{"id":1}`), Value: make([]byte, 200), Timestamp: time.Now(),
		}
	}
	done := make(chan error, 1)
	go func() { done <- h.partition(group, claim).run() }()
	wait.Until(t, func() bool { return group.is("cdc.public.users", 3) },
		"the group is told to fetch no more of this partition")
	go func() {
		for {
			select {
			case j := <-jobs:
				j.done <- nil
			case <-ctx.Done():
				return
			}
		}
	}()
	wait.Until(t, func() bool { return !group.is("cdc.public.users", 3) }, "it goes on once there is room")
	end()
	require.NoError(t, <-done)
	require.Positive(t, group.told)
}

func TestOffsetMetadataIsReadAsItWasWritten(t *testing.T) {
	l := envelope.Leader{System: 7, Epoch: 4}
	for _, m := range []offsetMetadata{{topicID: "ab", leader: l}, {topicID: "ab"}, {leader: l}, {}} {
		require.Equal(t, m, parseMetadata(m.String()), "as it is committed with an offset")
	}
	require.Equal(t, offsetMetadata{topicID: "ab"}, parseMetadata("ab not numbers"))
}
