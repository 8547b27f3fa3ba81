package keys

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// pending is when a text that was heard is compared next.
type pending struct {
	next time.Time
	wait time.Duration
}

const (
	compareEvery = 500 * time.Millisecond
	longestWait  = time.Minute
	maxPending   = 200_000 // what is heard beyond is named, and compared when it is asked for
)

// hear remembers the first text that is heard of a number until ClickHouse says whose it is.
func (b *Book) hear(k core.Key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.heard.get(k.ID); ok {
		return
	}
	b.heard.put(k.ID, k.Text)
	if len(b.pending) < maxPending {
		b.pending[k.ID] = &pending{wait: compareEvery}
	}
}

// settle compares what was heard of a number with the text that holds it.
func (b *Book) settle(id core.ID, text string) {
	heard, ok := b.heard.get(id)
	b.heard.remove(id)
	b.mu.Lock()
	delete(b.pending, id)
	b.mu.Unlock()
	wrong := ok && heard != text
	if wrong {
		b.disputed.Store(id, struct{}{})
		b.disputes.Add(1)
	}
	if !wrong {
		return
	}
	b.metrics.collisions.Inc()
	if k := (core.Key{ID: id, Text: heard}); b.once(k) {
		b.log.Error("a key has the number of another: this replica names neither", zap.Int64("number", int64(id)))
	}
}

func (b *Book) isDisputed(id core.ID) bool {
	if b.disputes.Load() == 0 { // hardly ever is there one
		return false
	}
	_, yes := b.disputed.Load(id)
	return yes
}

// compareHeard asks ClickHouse for what was heard, more seldom as long as it says nothing.
func (b *Book) compareHeard(ctx context.Context) error {
	for {
		if err := worker.Pause(ctx, compareEvery); err != nil {
			return err
		}
		if err := b.compareDue(ctx); err != nil {
			b.log.Debug("keys are not compared", zap.Error(err))
		}
	}
}

func (b *Book) compareDue(ctx context.Context) error {
	due := b.due(b.clock.Now())
	if len(due) == 0 {
		return nil
	}
	have, err := b.table.read(ctx, due)
	for id, rows := range have {
		for _, r := range rows {
			if r.held {
				b.remember(core.Key{ID: id, Text: r.text})
			}
		}
	}
	return err
}

// due are the numbers to compare now; what falls out of the memory of what was heard is forgotten.
func (b *Book) due(now time.Time) (due []core.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, p := range b.pending {
		if now.Before(p.next) {
			continue
		}
		if _, ok := b.heard.get(id); !ok {
			delete(b.pending, id)
			continue
		}
		p.next, p.wait = now.Add(p.wait), min(2*p.wait, longestWait)
		due = append(due, id)
	}
	return due
}
