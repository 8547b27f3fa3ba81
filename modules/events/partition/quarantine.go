package partition

import (
	"context"
	"slices"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// quarantine takes the records that an operator named out of a batch that ClickHouse refuses.
func (p *Worker) quarantine(ctx context.Context, refusal error) error {
	asked, err := p.Ledger.Commands(ctx)
	if err != nil {
		p.log.Warn("look for commands", zap.Error(err))
		return nil
	}
	for _, q := range asked {
		if q.Kind != ledger.CommandQuarantine {
			continue
		}
		named := func(r ledger.Row) bool { return r.Offset >= q.FirstOffset && r.Offset <= q.LastOffset && !r.Present }
		var letters []kafka.DeadLetter
		for i := range p.batch.rows {
			if r := &p.batch.rows[i]; named(*r) {
				letters = append(letters, kafka.NewDeadLetter(r.Record, p.Config.Epoch, deadQuarantined,
					refusal.Error()))
			}
		}
		if len(letters) > 0 {
			if err := p.publishDeadLetters(ctx, letters); err != nil {
				return err
			}
			p.batch.deadLetters = append(p.batch.deadLetters, letters...)
			p.batch.rows = slices.DeleteFunc(p.batch.rows, named)
			p.states.Forget() // they follow from what was taken out
			if err := p.retry(ctx, "decide what counts", func() error { return p.decide(ctx) }); err != nil {
				return err
			}
		}
		if err := p.Ledger.Finish(ctx, q.ID, uint64(len(letters))); err != nil {
			p.log.Warn("write the result of a command", zap.Error(err))
		}
	}
	return nil
}

// deadQuarantined is the reason of a record that ClickHouse refuses, once an operator said so.
const deadQuarantined = "quarantined"
