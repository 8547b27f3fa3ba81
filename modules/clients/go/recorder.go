package feedrank

import (
	"context"
	"errors"
	"sync"
	"time"
)

// RecorderOptions bound a recorder; zero values are the defaults.
type RecorderOptions struct {
	Every   time.Duration // events are sent at least so often; 5 s
	Batch   int           // as many are sent at once, 1 to 100; 50
	Most    int           // wait at most; then the oldest are dropped; 1,000
	Dropped func(Event, error)
}

// The reasons for which a recorder drops an event; others are errors of the server and a *RejectedError.
var (
	ErrFull   = errors.New("feedrank: more events wait than may, since the server does not take them")
	ErrClosed = errors.New("feedrank: the recorder is closed")
)

// RejectedError is why the server did not take an event.
type RejectedError struct{ Rejection }

// Error is the code and the reason.
func (e *RejectedError) Error() string {
	return "feedrank: event rejected: " + e.Code + ": " + e.Reason
}

// Recorder collects events and sends them in batches, in their order. Record never waits. It is safe for concurrent
// use.
type Recorder struct {
	client *Client
	o      RecorderOptions
	full   chan struct{} // a batch is there
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	waiting []Event
	closed  bool
}

// NewRecorder makes one, which sends until Close or until ctx ends.
func (c *Client) NewRecorder(ctx context.Context, o RecorderOptions) *Recorder {
	if o.Every <= 0 {
		o.Every = 5 * time.Second
	}
	if o.Batch <= 0 {
		o.Batch = 50
	}
	o.Batch = min(o.Batch, MaxBatch)
	if o.Most <= 0 {
		o.Most = 1000
	}
	if o.Dropped == nil {
		o.Dropped = func(Event, error) {}
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &Recorder{client: c, o: o, full: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	go r.run(ctx)
	return r
}

// Record keeps an event until it is sent. While the server is away, and as many wait as may, the oldest is dropped.
func (r *Recorder) Record(e Event) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		r.o.Dropped(e, ErrClosed)
		return
	}
	var dropped []Event
	if r.waiting = append(r.waiting, e); len(r.waiting) > r.o.Most {
		dropped, r.waiting = r.waiting[:1:1], r.waiting[1:]
	}
	batch := len(r.waiting) >= r.o.Batch
	r.mu.Unlock()
	for _, old := range dropped {
		r.o.Dropped(old, ErrFull)
	}
	if batch {
		select {
		case r.full <- struct{}{}:
		default:
		}
	}
}

// Waiting is how many events were not sent yet.
func (r *Recorder) Waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting)
}

// Close sends what waits, as long as ctx lasts, and drops what is left.
func (r *Recorder) Close(ctx context.Context) error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	<-r.done
	for r.Waiting() > 0 {
		if err := r.send(ctx); err != nil {
			r.mu.Lock()
			left := r.waiting
			r.waiting = nil
			r.mu.Unlock()
			for _, e := range left {
				r.o.Dropped(e, err)
			}
			return err
		}
	}
	return nil
}

func (r *Recorder) run(ctx context.Context) {
	defer close(r.done)
	tick := time.NewTicker(r.o.Every)
	defer tick.Stop()
	for failed := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-r.full:
		}
		for r.Waiting() > 0 && ctx.Err() == nil {
			err := r.send(ctx)
			if err == nil {
				failed = 0
				continue
			}
			failed++
			if wait(ctx, r.client.retry.pause(failed, err)) != nil {
				return
			}
		}
	}
}

// send sends the oldest events. They wait on if that may help another time.
func (r *Recorder) send(ctx context.Context) error {
	r.mu.Lock()
	batch := append([]Event(nil), r.waiting[:min(len(r.waiting), r.o.Batch)]...)
	r.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	answer, err := r.client.SendEvents(ctx, batch)
	var told *Error
	if err != nil && (ctx.Err() != nil || temporary(err) || !errors.As(err, &told) || told.Status == 401) {
		return err
	}
	r.forget(batch)
	for _, e := range batch {
		if err != nil { // of the whole batch
			r.o.Dropped(e, err)
		}
	}
	for _, one := range answer.Rejected {
		if one.Index >= 0 && one.Index < len(batch) {
			r.o.Dropped(batch[one.Index], &RejectedError{one})
		}
	}
	return nil
}

// forget takes a batch out of what waits, but for what was dropped meanwhile.
func (r *Recorder) forget(batch []Event) {
	sent := make(map[string]bool, len(batch))
	for _, e := range batch {
		sent[e.ID] = true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.waiting) > 0 && sent[r.waiting[0].ID] {
		r.waiting = r.waiting[1:]
	}
}
