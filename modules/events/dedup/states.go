package dedup

import (
	"context"
	"slices"

	"github.com/feedrank/feedrank/modules/events/counting"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/events/window"
)

// States knows where users stand with posts, as dedup knows ids: from a window of recent ones, from the
// filter, which excludes for sure that there was a reaction before, or by looking into the raw table.
type States struct {
	ids    *IDs // its filter holds the keys of states, too
	window *window.Map[counting.Key, counting.State]
	served bool // impressions count once for each feed_session

	asked map[counting.Key]struct{}
	days  ledger.Days
}

// NewStates makes one that shares the filter of ids. bySession tells that impressions have states.
func NewStates(cfg Config, bySession bool, d *IDs) *States {
	return &States{
		ids: d, window: window.New[counting.Key, counting.State](cfg.Window), served: bySession,
		asked: map[counting.Key]struct{}{},
	}
}

// Adopt goes on with what another one knew of the same partition.
func (s *States) Adopt(before *States) { s.window = before.window }

// Forget drops what is known: it may follow from what was not written.
func (s *States) Forget() { s.window.Clear() }

// Len is how many states are known without asking.
func (s *States) Len() int { return s.window.Len() }

// Prepare has the window hold the state of every reaction in a batch as it was before the batch, which begins at an
// offset. It can be called again after an error.
func (s *States) Prepare(ctx context.Context, rows []ledger.Row, first int64) error {
	clear(s.asked)
	s.days = s.days[:0]
	var on []int32
	for i := range rows {
		k, ok := counting.KeyOf(&rows[i].Event, s.served)
		if !ok || !rows[i].Verdict.Reacts() {
			continue
		}
		known, seen := s.window.Find(k)
		if _, asked := s.asked[k]; asked {
			continue
		}
		if !seen {
			if on = s.ids.filter.candidates(k.Hash(), on[:0]); len(on) > 0 {
				s.asked[k] = struct{}{}
				s.days.Add(on)
				continue
			}
		}
		s.window.Add(k, known) // among the younger ones, so that it stays until the batch is decided
	}
	return s.ask(ctx, first)
}

// Decide says what each reaction of the batch adds. Whatever is in the raw table was decided when it was written.
func (s *States) Decide(rows []ledger.Row) {
	for i := range rows {
		r := &rows[i]
		k, ok := counting.KeyOf(&r.Event, s.served)
		if !ok || !r.Verdict.Reacts() {
			continue
		}
		before, _ := s.window.Find(k)
		now := before
		effect := now.Apply(r.Action, r.At())
		if r.Present {
			now.On = before.On && r.Effect == 0 || r.Effect > 0
		} else if r.Effect = effect; effect == 0 && r.Verdict == counting.Counted {
			r.Verdict = counting.Repeated
		}
		s.window.Add(k, now)
		s.ids.filter.add(r.Day(), k.Hash())
	}
}

// ask looks up what the memory cannot tell.
func (s *States) ask(ctx context.Context, before int64) error {
	if len(s.asked) == 0 {
		return nil
	}
	s.ids.counts.StateLookups.Add(float64(len(s.asked)))
	keys := make([]counting.Key, 0, len(s.asked))
	for k := range s.asked {
		keys = append(keys, k)
	}
	found := make(map[counting.Key]counting.State, len(keys))
	for chunk := range slices.Chunk(keys, s.ids.chunk) {
		if err := s.ids.ledger.States(ctx, chunk, s.days, before, found); err != nil {
			return err
		}
	}
	for _, k := range keys {
		s.window.Add(k, found[k])
	}
	return nil
}
