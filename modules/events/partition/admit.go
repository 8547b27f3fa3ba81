package partition

import (
	"context"
	"slices"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// admit has the keys of new events admitted before anything is known by their numbers: before duplicates are looked
// for, and before rows are written. What names a refused one becomes a dead letter. Rows that are present had theirs
// admitted by whoever wrote them. After an error it is called again; it changes the batch once it knows.
func (p *Worker) admit(ctx context.Context) error {
	b := &p.batch
	keys := b.keys[:0]
	for i := range b.rows {
		if r := &b.rows[i]; r.Texts != nil && !p.isPresent(r) {
			keys = p.appendStored(keys, r)
		}
	}
	b.keys = keys
	if len(keys) == 0 {
		return nil
	}
	refused, err := p.Keys.Admit(ctx, keys)
	if err != nil || len(refused) == 0 {
		return err
	}
	b.rows = slices.DeleteFunc(b.rows, func(r ledger.Row) bool {
		if r.Texts == nil || p.isPresent(&r) {
			return false
		}
		key, is := refused.First(p.appendStored(nil, &r)...)
		if is {
			b.deadLetters = append(b.deadLetters,
				kafka.NewDeadLetter(r.Record, p.Config.Epoch, core.KeyCollision, key.Collides()))
		}
		return is
	})
	return nil
}

func (p *Worker) isPresent(r *ledger.Row) bool { return r.Present || p.present.Has(r.Offset) }

// appendStored appends the keys under whose numbers an event is stored. Where posts are looked up, the author that the
// client names is not.
func (p *Worker) appendStored(keys []core.Key, r *ledger.Row) []core.Key {
	keys = append(keys, r.UserKey(), r.PostKey())
	if p.Posts == nil {
		keys = append(keys, r.AuthorKey())
	}
	return keys
}
