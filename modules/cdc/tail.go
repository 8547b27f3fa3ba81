package cdc

import (
	"context"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Tail tells of changed posts as soon as Kafka has them, in every replica that runs one. It keeps no
// offsets: it begins at a moment, a little before which its listener has loaded what was there.
type Tail struct {
	posts *mapping.Source
	tail  *kafka.Tail
	tell  func([]core.Change)
	log   *zap.Logger

	mu    sync.Mutex
	leads map[int32]lead // of each partition
}

// NewTail makes a reader of the changes of posts since a moment. tell is called for one partition's
// changes in their order, from several goroutines at once, with one change a call; it must not block
// for long. After a connector's restart older changes may come again, followed by the newer ones.
func NewTail(cfg Config, k kafka.Config, since time.Time, tell func([]core.Change), log *zap.Logger) (*Tail, error) {
	m, err := cfg.Mapping(k)
	if err != nil {
		return nil, err
	}
	posts := m.Of(mapping.Post)
	t := &Tail{posts: posts, tell: tell, log: log.Named("cdc.tail"), leads: map[int32]lead{}}
	t.tail = kafka.NewTail(k, []string{m.Topic(posts.Table)}, since, t.handle, t.log)
	return t, nil
}

// Run reads until ctx ends.
func (t *Tail) Run(ctx context.Context) error { return t.tail.Run(ctx) }

func (t *Tail) handle(m *sarama.ConsumerMessage) {
	if change, ok := t.change(m); ok {
		t.tell([]core.Change{change})
	}
}

// change is what a record means; the consumer dead-letters what cannot be read.
func (t *Tail) change(m *sarama.ConsumerMessage) (core.Change, bool) {
	if header(m, headerRepair) { // whether it counts, only the consumer knows
		return core.Change{}, false
	}
	record, err := envelope.Decode(m.Key, m.Value)
	if err != nil {
		t.log.Debug("record of posts not read", zap.Int32("partition", m.Partition), zap.Int64("offset", m.Offset), zap.Error(err))
		return core.Change{}, false
	}
	switch {
	case record.Tombstone, record.Op == envelope.Message, t.late(m.Partition, record.Source):
		return core.Change{}, false
	case record.Op == envelope.Truncate:
		kind := core.TableCleared
		if record.Source.Snapshot != envelope.Streaming {
			kind = core.TableReread
		}
		return core.Change{Kind: kind, CommittedAt: record.Source.CommittedAt}, true
	}
	row, err := t.posts.Row(record)
	if err != nil {
		t.log.Debug("post not read", zap.Int32("partition", m.Partition), zap.Int64("offset", m.Offset), zap.Error(err))
		return core.Change{}, false
	}
	return postChange(row, record.Source.CommittedAt), true
}

// late tells whether a leader that had been replaced wrote the record.
func (t *Tail) late(partition int32, s envelope.Source) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.leads[partition]
	if l.late(s) {
		return true
	}
	l.advance(s)
	t.leads[partition] = l
	return false
}
