package consumer

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/dedup"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Batch says when a partition's batch is sealed: whichever bound is reached first.
type Batch struct {
	MaxRows    int           `koanf:"max_rows" validate:"gte=1,lte=500000"`
	MaxBytes   int64         `koanf:"max_bytes" validate:"gte=65536,lte=268435456"`    // of the records' values
	MaxAge     time.Duration `koanf:"max_age" validate:"gte=1ms,lte=10s"`              // since its first record
	QueueBytes int64         `koanf:"queue_bytes" validate:"gte=65536,lte=1073741824"` // fetched and waiting, for each partition; fetching pauses above
}

// partition applies one Kafka partition to ClickHouse while it is ours. One goroutine runs it.
type partition struct {
	id          int32
	topic       string // full name
	cfg         Config
	owner       string
	ledger      *ledger.Partition
	queue       *kafka.Queue
	reader      *codec.Decoder
	dedup       *dedup.IDs
	states      *dedup.States
	posts       *Posts // nil: what clients say of posts is believed
	unresolved  *unresolvedPosts
	deadLetters DeadLetters
	observer    Observer

	sessions    Sessions // nil: not checked
	erased      core.Erased
	failpoints  Failpoints
	clock       core.Clock
	log         *zap.Logger
	metrics     *partitionMetrics
	commit      func(next int64)           // tells Kafka how far we are
	readOffsets func() (logOffsets, error) // what Kafka holds now

	offsets    logOffsets
	fence      ledger.Fence   // held; its token is this worker's
	known      ledger.Fence   // ours, and up to it the filter knows all ids; zero while it does not
	certain    bool           // all writes under known have a known outcome
	logChecked bool           // the log holds what is next
	next       int64          // the first offset that is not applied
	present    ledger.Offsets // beyond next, and in the raw table already
	nextPoll   time.Time
	batch      batch
}

// run acquires the partition and applies batches until ctx ends, or until another consumer has taken it.
// A batch that is being applied when ctx ends is finished, if it does not take long.
func (p *partition) run(ctx context.Context) error {
	if err := p.acquire(ctx); err != nil {
		return err
	}
	working, done := outlive(ctx, drainTime)
	defer done()
	for {
		p.certain = false
		if err := p.runCommand(working); err != nil {
			return err
		}
		p.certain = true
		reason, err := p.collect(ctx)
		if err = cmp.Or(err, ctx.Err()); err != nil { // what waits is for whoever is next
			return err
		}
		if reason == idle {
			continue
		}
		p.metrics.sealed.WithLabelValues(reason).Inc()
		p.certain = false
		p.metrics.batchAge.Observe(p.clock.Now().Sub(p.batch.opened).Seconds())
		if err := p.apply(working); err != nil {
			return err
		}
	}
}

// drainTime is what a batch may still take when the session has ended.
const drainTime = 3 * time.Second

// outlive is a context that ends some time after its parent.
func outlive(parent context.Context, grace time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() { stop(); cancel() }
}

// position names where we are, for errors.
func (p *partition) position() string { return fmt.Sprintf("%s/%d@%d", p.topic, p.id, p.next) }
