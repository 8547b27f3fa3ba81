package events

import (
	"context"
	"slices"
	"strconv"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// states knows where users stand with posts, as dedup knows ids: from a window of recent ones, from the
// filter, which excludes for sure that there was a reaction before, or by looking into the raw table.
type states struct {
	dedup  *dedup // its filter holds the keys of states, too
	window *window[stateKey, state]
	served bool // impressions count once for each feed_session

	asked map[stateKey]struct{}
	days  dateArray
}

func newStates(cfg Config, d *dedup) *states {
	return &states{dedup: d, window: newWindow[stateKey, state](cfg.Dedup.Window), served: cfg.RequireSession, asked: map[stateKey]struct{}{}}
}

// prepare has the window hold the state of every reaction in the batch as it was before the batch. It can be
// called again after an error.
func (s *states) prepare(ctx context.Context, b *batch) error {
	clear(s.asked)
	s.days.days = s.days.days[:0]
	var days []int32
	for i := range b.rows {
		k, ok := b.rows[i].keyOfState(s.served)
		if !ok || !b.rows[i].verdict.reacts() {
			continue
		}
		known, seen := s.window.find(k)
		if _, asked := s.asked[k]; asked {
			continue
		}
		if !seen {
			if days = s.dedup.filter.candidates(k.hash(), days[:0]); len(days) > 0 {
				s.asked[k] = struct{}{}
				s.days.add(days)
				continue
			}
		}
		s.window.add(k, known) // among the younger ones, so that it stays until the batch is decided
	}
	return s.ask(ctx, b.first)
}

// reacts tells whether an event with this verdict takes part in a state.
func (v verdict) reacts() bool {
	return v == verdictCounted || v == verdictRepeated || v == verdictUnresolved
}

// decide says what each reaction of the batch adds. Whatever is in the raw table was decided when it was written.
func (s *states) decide(b *batch) {
	for i := range b.rows {
		r := &b.rows[i]
		k, ok := r.keyOfState(s.served)
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
	s.dedup.metrics.stateLookups.Add(float64(len(s.asked)))
	keys := make([]stateKey, 0, len(s.asked))
	for k := range s.asked {
		keys = append(keys, k)
	}
	found := make(map[stateKey]state, len(keys))
	for chunk := range slices.Chunk(keys, s.dedup.chunk) {
		if err := s.dedup.ledger.states(ctx, chunk, &s.days, before, found); err != nil {
			return err
		}
	}
	for _, k := range keys {
		s.window.add(k, found[k])
	}
	return nil
}

// states finds the states of some users and posts as they were before an offset.
func (l *ledger) states(ctx context.Context, keys []stateKey, days *dateArray, before int64, found map[stateKey]state) error {
	var user, post, value, latest proto.ColInt64
	var kind proto.ColUInt8
	var session proto.ColStr
	users := make([]core.ID, len(keys))
	pairs := []byte{'['}
	for i, k := range keys {
		users[i] = k.user
		if i > 0 {
			pairs = append(pairs, ',')
		}
		pairs = strconv.AppendInt(append(pairs, '('), int64(k.user), 10)
		pairs = append(strconv.AppendInt(append(pairs, ','), int64(k.post), 10), ')')
	}
	return l.read(ctx, "states", ch.Query{
		Parameters: l.grouping(clickhouse.Param("users", users), clickhouse.Param("pairs", clickhouse.Literal(append(pairs, ']'))),
			days.parameter("days"), clickhouse.Param("before", before)),
		Result: proto.Results{
			{Name: "user_id", Data: &user},
			{Name: "post_id", Data: &post},
			{Name: "kind", Data: &kind},
			{Name: "session", Data: &session},
			{Name: "value", Data: &value},
			{Name: "latest", Data: &latest},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range user.Rows() {
				k := stateKey{user: core.ID(user.Row(i)), post: core.ID(post.Row(i)), kind: reaction(kind.Row(i))}
				if k.kind == reactSeen {
					k.session = sessionHash(session.Row(i))
				}
				found[k] = state{on: value.Row(i) > 0, latest: latest.Row(i)}
			}
			return nil
		},
	})
}

// fillStates reads the keys of a day's reactions into the filter.
func (l *ledger) fillStates(ctx context.Context, day int32, served bool, each func(hashes []uint64)) error {
	var user, post proto.ColInt64
	var what proto.ColUInt8
	var session proto.ColStr
	var hashes []uint64
	return l.client.Read(ctx, clickhouse.Query{Name: "event_reactions", Query: ch.Query{
		Body:       sql.ClickHouse("event_reactions"),
		Parameters: l.grouping(clickhouse.Param("day", dateText(day)), clickhouse.Param("served", served)),
		Settings:   clickhouse.Background,
		Result: proto.Results{
			{Name: "user_id", Data: &user}, {Name: "post_id", Data: &post}, {Name: "what", Data: &what}, {Name: "session", Data: &session},
		},
		OnResult: func(context.Context, proto.Block) error {
			hashes = hashes[:0]
			for i := range user {
				k := stateKey{user: core.ID(user[i]), post: core.ID(post[i]), kind: reactionOf(core.Action(what[i]), served)}
				if k.kind == reactSeen {
					k.session = sessionHash(session.Row(i))
				}
				hashes = append(hashes, k.hash())
			}
			each(hashes)
			return nil
		},
	}})
}
