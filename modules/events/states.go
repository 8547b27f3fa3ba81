package events

import (
	"context"
	"slices"
)

// states knows where users stand with posts, as dedup knows ids: from a window of recent ones, from the
// filter, which excludes for sure that there was a reaction before, or by looking into the raw table.
type states struct {
	dedup  *dedup // its filter holds the keys of states, too
	window *window[stateKey, state]
	served bool // impressions count once for each feed_session

	asked map[stateKey]struct{}
	days  days
}

func newStates(cfg Dedup, bySession bool, d *dedup) *states {
	return &states{dedup: d, window: newWindow[stateKey, state](cfg.Window), served: bySession, asked: map[stateKey]struct{}{}}
}

// adopt goes on with what another one knew of the same partition.
func (s *states) adopt(before *states) { s.window = before.window }

// forget drops what is known: it may follow from what was not written.
func (s *states) forget() { s.window.clear() }

// len is how many states are known without asking.
func (s *states) len() int { return s.window.len() }

// prepare has the window hold the state of every reaction in a batch as it was before the batch, which begins at an
// offset. It can be called again after an error.
func (s *states) prepare(ctx context.Context, rows []row, first int64) error {
	clear(s.asked)
	s.days = s.days[:0]
	var on []int32
	for i := range rows {
		k, ok := keyOf(&rows[i].event, s.served)
		if !ok || !rows[i].verdict.reacts() {
			continue
		}
		known, seen := s.window.find(k)
		if _, asked := s.asked[k]; asked {
			continue
		}
		if !seen {
			if on = s.dedup.filter.candidates(k.hash(), on[:0]); len(on) > 0 {
				s.asked[k] = struct{}{}
				s.days.add(on)
				continue
			}
		}
		s.window.add(k, known) // among the younger ones, so that it stays until the batch is decided
	}
	return s.ask(ctx, first)
}

// decide says what each reaction of the batch adds. Whatever is in the raw table was decided when it was written.
func (s *states) decide(rows []row) {
	for i := range rows {
		r := &rows[i]
		k, ok := keyOf(&r.event, s.served)
		if !ok || !r.verdict.reacts() {
			continue
		}
		before, _ := s.window.find(k)
		now := before
		effect := now.apply(r.action, r.at())
		if r.present {
			now.on = before.on && r.effect == 0 || r.effect > 0
		} else if r.effect = effect; effect == 0 && r.verdict == verdictCounted {
			r.verdict = verdictRepeated
		}
		s.window.add(k, now)
		s.dedup.filter.add(r.day(), k.hash())
	}
}

// ask looks up what the memory cannot tell.
func (s *states) ask(ctx context.Context, before int64) error {
	if len(s.asked) == 0 {
		return nil
	}
	s.dedup.counts.StateLookups.Add(float64(len(s.asked)))
	keys := make([]stateKey, 0, len(s.asked))
	for k := range s.asked {
		keys = append(keys, k)
	}
	found := make(map[stateKey]state, len(keys))
	for chunk := range slices.Chunk(keys, s.dedup.chunk) {
		if err := s.dedup.ledger.states(ctx, chunk, s.days, before, found); err != nil {
			return err
		}
	}
	for _, k := range keys {
		s.window.add(k, found[k])
	}
	return nil
}
