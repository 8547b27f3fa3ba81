package partition

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
	"github.com/feedrank/feedrank/modules/events/posts"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/tracing"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Worker applies one Kafka partition to ClickHouse while it is ours. One goroutine runs it.
type Worker struct {
	Shared
	Claim
	reader     *codec.Decoder
	dedup      *dedup.IDs
	states     *dedup.States
	unresolved *unresolvedPosts
	log        *zap.Logger
	metrics    *partitionMetrics

	fence      ledger.Fence   // held; its token is this worker's
	known      ledger.Fence   // ours, and up to it the filter knows all ids; zero while it does not
	certain    bool           // all writes under known have a known outcome
	logChecked bool           // the log holds what is next
	next       int64          // the first offset that is not applied
	present    ledger.Offsets // beyond next, and in the raw table already
	nextPoll   time.Time
	batch      batch
}

// Shared is what the workers of all partitions of a process have in common.
type Shared struct {
	Config      Config
	Topic       string // full name
	Owner       string // of this process, as the ledger names it
	DeadLetters DeadLetters
	Observer    Observer        // nil: nobody is notified
	Sessions    Sessions        // nil: not checked
	Posts       *posts.Posts    // nil: what clients say of posts is believed
	Erased      core.Erased     // nil: nobody is
	Keys        core.Admission  // nil: all keys are integers
	Tracer      *tracing.Tracer // nil: nothing is traced
	Failpoints  Failpoints      // nil: nobody watches
	Clock       core.Clock
	Log         *zap.Logger
	Metrics     *Metrics
}

// Claim is one partition as a session of the consumer group has it.
type Claim struct {
	ID          int32
	Ledger      *ledger.Partition
	Queue       *kafka.Queue
	Offsets     LogOffsets                 // as the session began
	Commit      func(next int64)           // tells Kafka how far we are
	ReadOffsets func() (LogOffsets, error) // what Kafka holds now
}

// New makes a worker. before is what the worker before it of this process has handed off; zero: there was none.
func New(shared Shared, claim Claim, before Handoff) *Worker {
	if shared.Erased == nil {
		shared.Erased = core.NobodyErased{}
	}
	if shared.Keys == nil {
		shared.Keys = core.AllAdmitted{}
	}
	if shared.Failpoints == nil {
		shared.Failpoints = noFailpoints{}
	}
	m := shared.Metrics.of(claim.ID)
	p := &Worker{
		Shared: shared, Claim: claim, metrics: m, log: shared.Log.With(zap.Int32("partition", claim.ID)),
		reader: codec.NewDecoder(shared.Config.Log), dedup: dedup.NewIDs(shared.Config.Dedup, claim.Ledger, m.dedup),
		unresolved: newUnresolvedPosts(), fence: ledger.Fence{Token: ledger.NewToken()},
	}
	p.states = dedup.NewStates(shared.Config.Dedup, shared.Config.RequireSession, p.dedup)
	p.takeOver(before)
	return p
}

// Run acquires the partition and applies batches until ctx ends, or until another consumer has taken it.
// A batch that is being applied when ctx ends is finished, if it does not take long.
func (p *Worker) Run(ctx context.Context) error {
	if err := p.acquire(ctx); err != nil {
		return err
	}
	working, done := worker.Outlive(ctx, drainTime)
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
		p.metrics.batchAge.Observe(p.Clock.Now().Sub(p.batch.opened).Seconds())
		if err := p.apply(working); err != nil {
			return err
		}
	}
}

// drainTime is what a batch may still take when the session has ended.
const drainTime = 3 * time.Second

// position names where we are, for errors.
func (p *Worker) position() string { return fmt.Sprintf("%s/%d@%d", p.Topic, p.ID, p.next) }

// batchLog is the log of what happens to the batch: its lines name the requests that sent it.
func (p *Worker) batchLog() *zap.Logger {
	if ids := p.batch.requests(); len(ids) > 0 {
		return p.log.With(zap.Strings("request_ids", ids))
	}
	return p.log
}

// Handoff is what a worker leaves behind for the next one of its process.
type Handoff struct {
	known      ledger.Fence
	certain    bool
	next       int64
	present    ledger.Offsets
	dedup      *dedup.IDs
	states     *dedup.States
	unresolved *unresolvedPosts
}

// HandOff is what this worker knows.
func (p *Worker) HandOff() Handoff {
	if !p.certain { // they may follow from a batch that was never written
		p.states.Forget()
	}
	return Handoff{
		known: p.known, certain: p.certain, next: p.next, present: p.present,
		dedup: p.dedup, states: p.states, unresolved: p.unresolved,
	}
}

// takeOver goes on with what the worker before us knew; an empty memory is none.
func (p *Worker) takeOver(m Handoff) {
	if m.dedup == nil {
		return
	}
	p.known, p.certain, p.next, p.present = m.known, m.certain, m.next, m.present
	p.dedup.Adopt(m.dedup)
	p.states.Adopt(m.states)
	p.unresolved = m.unresolved
}

// Config is what a consumer needs to know.
type Config struct {
	codec.Log
	OnLostOffsets  string // what to do when Kafka deleted what was not read: fail, earliest, latest
	RequireSession bool   // an impression counts only with a feed_session that was served to its user for its post
	InsertTimeout  time.Duration
	Batch          Batch
	Dedup          dedup.Config
}

// DefaultConfig is the reference scale: 10M events a day.
func DefaultConfig() Config {
	return Config{
		Log: codec.DefaultLog(), OnLostOffsets: "fail", InsertTimeout: 15 * time.Second,
		Batch: Batch{MaxRows: 50_000, MaxBytes: 16 << 20, MaxAge: 100 * time.Millisecond, QueueBytes: 32 << 20},
		Dedup: dedup.DefaultConfig(),
	}
}

// Batch says when a partition's batch is sealed: whichever bound is reached first.
type Batch struct {
	MaxRows    int           `koanf:"max_rows" validate:"gte=1,lte=500000"`
	MaxBytes   int64         `koanf:"max_bytes" validate:"gte=65536,lte=268435456"`    // of the records' values
	MaxAge     time.Duration `koanf:"max_age" validate:"gte=1ms,lte=10s"`              // since its first record
	QueueBytes int64         `koanf:"queue_bytes" validate:"gte=65536,lte=1073741824"` // fetched and waiting, for each partition; fetching pauses above
}

// Failpoint is a moment in the life of a partition at which a process may die. The table of cases in
// README.md names them, and tests stop at each.
type Failpoint string

// The failpoints, in their order. Those of acquiring a partition come again after an uncertain outcome.
const (
	AtAcquire        Failpoint = "acquire"         // about to claim the next fence
	AtClaimed        Failpoint = "claimed"         // holds the fence
	AtInFlightEnded  Failpoint = "in-flight-ended" // no older statement runs any more
	AtPositionLoaded Failpoint = "position-loaded" // knows the position and the offsets present
	AtReconciled     Failpoint = "reconciled"      // the views agree with the raw table
	AtFilled         Failpoint = "filled"          // the filter knows all ids
	AtSealed         Failpoint = "sealed"          // a batch is full, nothing of it is written
	AtDeadLettered   Failpoint = "dead-lettered"   // its dead letters are safe
	AtInserting      Failpoint = "inserting"       // about to insert the rows
	AtInserted       Failpoint = "inserted"        // they are in, the range is not written
	AtRangeWritten   Failpoint = "range-written"   // the range is written, the offset is not committed
	AtCommitted      Failpoint = "committed"       // all done
)

// Failpoints observes a partition at its failpoints. It may block, which stops the partition there.
type Failpoints interface {
	Reached(at Failpoint, partition int32)
}

type noFailpoints struct{}

func (noFailpoints) Reached(Failpoint, int32) {}
