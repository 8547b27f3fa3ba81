package consumer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/counting"
	"github.com/feedrank/feedrank/modules/events/dedup"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
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

// Observer is told of events after they are in ClickHouse, at least once each. It must be quick: the
// partition waits for it.
type Observer interface {
	Observe(ctx context.Context, events []core.Event) error
}

// run takes the partition and applies batches until ctx ends, or until another consumer has taken it.
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

// collect fills the batch and says what sealed it.
func (p *partition) collect(ctx context.Context) (reason string, err error) {
	b := &p.batch
	b.reset(p.next)
	due := p.due()
	age := time.NewTimer(0)
	age.Stop()
	defer age.Stop()
	nothing := time.NewTimer(p.nextPoll.Sub(p.clock.Now()))
	defer nothing.Stop()
	for {
		m, open := p.queue.Pop()
		switch {
		case m != nil:
			first := b.empty()
			b.add(m, p.reader, p.topic, p.cfg.Epoch)
			if first && !b.empty() {
				b.opened = p.clock.Now()
				age.Reset(p.cfg.Batch.MaxAge) // what comes while we read may not hold it up
			}
			if b.records >= p.cfg.Batch.MaxRows {
				return "rows", nil
			}
			if b.bytes >= p.cfg.Batch.MaxBytes {
				return "bytes", nil
			}
			if b.records&255 != 0 { // look at the clock now and then
				continue
			}
			select {
			case <-age.C:
				return "age", nil
			default:
			}
		case !open:
			return "", errSessionEnded
		default:
			if !b.empty() {
				left := max(due.Sub(p.clock.Now()), p.ledger.Rest())
				if left <= 0 {
					return "age", nil
				}
				age.Reset(left)
			}
			select {
			case <-p.queue.Ready():
				if b.empty() {
					due = p.due()
				}
			case <-age.C: // unless others have written meanwhile
			case <-nothing.C:
				if b.empty() {
					return idle, nil
				}
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
	}
}

// due is when the batch that begins with the oldest record waiting is old enough: at the next multiple
// of the greatest age after the record came. So the batches of all partitions are due at the same time,
// and go in one statement; and all wait while the writer rests after one.
func (p *partition) due() time.Time {
	return p.queue.WaitingSince().Truncate(p.cfg.Batch.MaxAge).Add(p.cfg.Batch.MaxAge)
}

// apply brings the batch into ClickHouse, whatever it takes.
func (p *partition) apply(ctx context.Context) error {
	started := p.clock.Now()
	b := &p.batch
	p.failpoints.Reached(AtSealed, p.id)
	b.leaveOut(p.erased, p.present)
	if err := p.publishDeadLetters(ctx, b.deadLetters); err != nil {
		return err
	}
	p.failpoints.Reached(AtDeadLettered, p.id)
	if err := p.dropDuplicates(ctx); err != nil {
		return err
	}
	if err := p.retry(ctx, "decide what counts", func() error { return p.decide(ctx) }); err != nil {
		return err
	}
	b.leaveOut(p.erased, p.present) // whose post it is, is known only now
	if err := p.writeWithRecovery(ctx); err != nil {
		return err
	}
	p.noteUnresolved()
	p.next = b.next
	p.forgetPresent()
	p.queue.Applied()
	p.commit(p.next)
	p.failpoints.Reached(AtCommitted, p.id)
	p.measure(started)
	return nil
}

// dropDuplicates takes out of the batch what was applied before.
func (p *partition) dropDuplicates(ctx context.Context) error {
	b := &p.batch
	rows, recent := p.dedup.Decide(b.rows, p.present)
	b.rows = rows
	b.duplicates += uint64(recent) //nolint:gosec // not negative
	return p.retry(ctx, "look up duplicates", func() error {
		rows, old, err := p.dedup.Resolve(ctx, b.rows)
		b.rows = rows
		b.duplicates += uint64(old) //nolint:gosec // not negative
		return err
	})
}

// writeWithRecovery writes the batch until it is there.
func (p *partition) writeWithRecovery(ctx context.Context) error {
	defer p.metrics.stopped.Set(0)
	for refusals, alone := 0, false; ; alone = true {
		err := p.writeOnce(ctx, alone)
		if err == nil {
			return nil
		}
		if ledger.IsInsertError(err) {
			refusals++
		}
		if refusals == alarmAfter {
			p.alarm(err)
		}
		if refusals > 0 {
			if err := worker.Pause(ctx, min(firstRetry<<min(refusals, 10), insertErrorPause)); err != nil {
				return err
			}
		}
		if err := p.recover(ctx, err); err != nil {
			return err
		}
		if p.next >= p.batch.next { // it was the acknowledgement that got lost
			return nil
		}
		p.batch.markPresent(p.present)
		p.batch.leaveOut(p.erased, p.present) // the refusal may have been about them
		if refusals > 0 {
			if err := p.quarantine(ctx, err); err != nil {
				return err
			}
		}
	}
}

// writeOnce inserts the batch's rows in one statement, then the range. The server splits the statement by
// day and makes each day's part visible by itself: whoever finds it half done asks which offsets are there.
func (p *partition) writeOnce(ctx context.Context, alone bool) error {
	b := &p.batch
	p.failpoints.Reached(AtInserting, p.id)
	if ledger.Absent(b.rows) > 0 {
		began := p.clock.Now()
		if err := p.ledger.Insert(ctx, p.fence, b.rows, alone); err != nil {
			return err
		}
		p.metrics.insert.Observe(p.clock.Now().Sub(began).Seconds())
	}
	p.failpoints.Reached(AtInserted, p.id)
	p.notify(ctx)
	if err := p.ledger.WriteRange(ctx, p.fence, b.offsetRange(), alone); err != nil {
		return err
	}
	p.failpoints.Reached(AtRangeWritten, p.id)
	return nil
}

// publishDeadLetters publishes dead letters and waits until they are safe.
func (p *partition) publishDeadLetters(ctx context.Context, letters []DeadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	if err := p.retry(ctx, "publish dead letters", func() error { return p.deadLetters.Publish(ctx, letters) }); err != nil {
		return err
	}
	for i := range letters {
		p.metrics.deadLetters.WithLabelValues(letters[i].Reason).Inc()
	}
	return nil
}

// retryPause is what is waited between two tries.
func retryPause() worker.Backoff { return worker.Backoff{Least: firstRetry, Most: 2 * time.Second} }

const firstRetry = 50 * time.Millisecond

// retry repeats what has no effect when it is repeated, until it succeeds or ctx ends.
func (p *partition) retry(ctx context.Context, what string, f func() error) error {
	pause := retryPause()
	for {
		err := f()
		if err == nil || ctx.Err() != nil || errors.Is(err, ledger.ErrFenced) {
			return err
		}
		p.log.Warn(what+", trying again", zap.Error(err))
		if err := pause.Wait(ctx); err != nil {
			return err
		}
	}
}

// forgetPresent drops the offsets that are behind us.
func (p *partition) forgetPresent() {
	for offset := range p.present {
		if offset < p.next {
			delete(p.present, offset)
		}
	}
}

// notify lets the rest of the program know, before the range is written: whoever dies here is followed
// by somebody who finds the events present and tells of them again. What fails is tried again for as
// long as the partition may wait, then it is counted.
func (p *partition) notify(ctx context.Context) {
	if p.observer == nil || len(p.batch.rows) == 0 {
		return
	}
	events := make([]core.Event, 0, len(p.batch.rows))
	for i := range p.batch.rows {
		if r := &p.batch.rows[i]; !names(&r.Event, p.erased) { // one that is present is yet to be removed
			e := r.Core()
			e.Repeated = !r.Present && r.Verdict == counting.Repeated // of one that was there before, that is not known
			events = append(events, e)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, observeTimeout)
	defer cancel()
	pause := retryPause()
	for {
		err := p.observer.Observe(ctx, events)
		if err == nil {
			return
		}
		if pause.Wait(ctx) != nil {
			p.metrics.observe.Inc()
			p.log.Warn("applied events could not be observed", zap.Error(err))
			return
		}
	}
}

// observeTimeout is a last bound: who is told has deadlines of its own, and gives up earlier on a server
// that is away. A busy one is better waited for than forgotten.
const observeTimeout = 10 * time.Second

func (p *partition) measure(started time.Time) {
	b, m, now := &p.batch, p.metrics, p.clock.Now()
	m.events.Add(float64(len(b.rows)))
	m.copies.Add(float64(b.duplicates))
	m.dead.Add(float64(len(b.deadLetters)))
	m.erased.Add(float64(b.erased))
	events, copies, dead := b.outcomes()
	m.bytes.events.Add(float64(events))
	m.bytes.copies.Add(float64(copies))
	m.bytes.dead.Add(float64(dead))
	m.batchRows.Observe(float64(b.records))
	m.batchSeconds.Observe(now.Sub(started).Seconds())
	m.sinceProduce.Observe(now.Sub(b.oldest).Seconds())
	if len(b.rows) > 0 {
		m.sinceOccured.Observe(max(0, float64(now.UnixMilli()-b.rows[0].Occurred)/1000))
	}
	var judged [counting.Verdicts]int
	for i := range b.rows {
		judged[b.rows[i].Verdict]++
	}
	for v, n := range judged {
		m.standing[v].Add(float64(n))
	}
	ids, filterBytes := p.dedup.Size()
	m.windowIDs.Set(float64(ids))
	m.bloom.Set(float64(filterBytes))
	p.dedup.ForgetBefore(ledger.DayOf(b.newest.UnixMilli() - ledger.RawRetention.Milliseconds()))
}

// position names where we are, for errors.
func (p *partition) position() string { return fmt.Sprintf("%s/%d@%d", p.topic, p.id, p.next) }
