package consumer

import (
	"context"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/counting"
)

// decide decides of every event of the batch whether it counts, and for whose post. What is in the raw table
// was decided when it was written, by us or by an owner before. It can be called again after an error.
func (p *partition) decide(ctx context.Context) error {
	b := &p.batch
	for i := range b.rows {
		r := &b.rows[i]
		if r.Present {
			d := p.present[r.Offset]
			r.Effect, r.Verdict, r.Author = d.Effect, d.Verdict, d.Author
			continue
		}
		r.Effect, r.Verdict = 1, counting.Counted
	}
	if p.posts != nil {
		if err := p.lookUpPosts(ctx); err != nil {
			return err
		}
	}
	p.requireSessions()
	if err := p.states.Prepare(ctx, b.rows, b.first); err != nil {
		return err
	}
	p.states.Decide(b.rows)
	return nil
}

// lookUpPosts gives each new event its post's author, and marks those that count nothing.
func (p *partition) lookUpPosts(ctx context.Context) error {
	b := &p.batch
	posts := make(map[core.ID]knownPost, len(b.rows))
	for i := range b.rows {
		if r := &b.rows[i]; !r.Present {
			posts[r.Post] = knownPost{}
		}
	}
	if err := p.posts.find(ctx, posts); err != nil {
		return err
	}
	var either []pair // a block counts in both directions
	asked := map[pair]struct{}{}
	for i := range b.rows {
		r := &b.rows[i]
		if r.Present {
			continue
		}
		known, ok := posts[r.Post]
		r.Author = known.author
		switch {
		case !ok:
			r.Verdict = counting.Unresolved
		case known.gone:
			r.Effect, r.Verdict = 0, counting.NotVisible
		case !counting.KindOf(r.Action, false).Moves():
		case r.Author == r.User:
			r.Effect, r.Verdict = 0, counting.Own
		default:
			reaction := pair{r.User, r.Author}
			if _, ok := asked[reaction]; !ok {
				asked[reaction] = struct{}{}
				either = append(either, reaction, pair{r.Author, r.User})
			}
		}
	}
	blocked, err := p.posts.blocks(ctx, either)
	if err != nil || len(blocked) == 0 {
		return err
	}
	for i := range b.rows {
		r := &b.rows[i]
		if r.Present || r.Verdict != counting.Counted || !counting.KindOf(r.Action, false).Moves() {
			continue
		}
		_, blocks := blocked[pair{r.User, r.Author}]
		_, isBlocked := blocked[pair{r.Author, r.User}]
		if blocks || isBlocked {
			r.Effect, r.Verdict = 0, counting.NotVisible
		}
	}
	return nil
}

// requireSessions takes away what an impression without a served feed_session would count, where one is required.
func (p *partition) requireSessions() {
	p.validateSessions()
	if !p.cfg.RequireSession {
		return
	}
	for i := range p.batch.rows {
		r := &p.batch.rows[i]
		if !r.Present && r.Action == core.ActionImpression && r.Session == "" && r.Effect != 0 {
			r.Effect, r.Verdict = 0, counting.NotServed
		}
	}
}
