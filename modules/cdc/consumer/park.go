package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// sayAgain is how often the log says that a partition waits.
const sayAgain = time.Minute

// park writes what came before a record of a converter that we do not read, and waits there until the session
// ends: all that follows is written like it. Other partitions go on.
func (p *partition) park(ctx context.Context, b *batch, why error, offset int64) error {
	if b.last != nil {
		if err := p.write(ctx, b); err != nil {
			return err
		}
	}
	gauge := p.metrics.parked.WithLabelValues(p.decoder.table, kafka.PartitionLabel(p.claim.Partition()))
	gauge.Set(1)
	defer gauge.Set(0)
	defer p.parked.add(fmt.Errorf("%s/%d@%d: %w", p.claim.Topic(), p.claim.Partition(), offset, why))()
	again := time.NewTicker(sayAgain)
	defer again.Stop()
	for {
		p.log.Error("a partition waits at a record that its connector must write otherwise; make the topic anew and let "+
			"the connector take a snapshot, or set cdc.consumer.on_foreign_format to dead_letter and run `feedrank resync`",
			zap.String("topic", p.claim.Topic()), zap.Int32("partition", p.claim.Partition()),
			zap.Int64("offset", offset),
			zap.Error(why))
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
	}
}

// parked are the partitions that wait, and why.
type parked struct {
	mu  sync.Mutex
	all map[*error]bool
}

func (p *parked) add(why error) (remove func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[*error]bool{}
	}
	p.all[&why] = true
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.all, &why)
	}
}

func (p *parked) check() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []error
	for why := range p.all {
		all = append(all, *why)
	}
	slices.SortFunc(all, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(all...)
}
