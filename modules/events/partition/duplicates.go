package partition

import "context"

// dropDuplicates takes out of the batch what was applied before.
func (p *Worker) dropDuplicates(ctx context.Context) error {
	b := &p.batch
	rows, recent := p.dedup.Decide(b.rows, p.present)
	b.rows = rows
	b.duplicates += uint64(recent)
	return p.retry(ctx, "look up duplicates", func() error {
		rows, old, err := p.dedup.Resolve(ctx, b.rows)
		b.rows = rows
		b.duplicates += uint64(old)
		return err
	})
}
