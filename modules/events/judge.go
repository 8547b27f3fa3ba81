package events

import (
	"context"

	"github.com/feedrank/feedrank/modules/core"
)

// judge decides of every event of the batch whether it counts, and for whose post. What is in the raw table
// was decided when it was written, by us or by an owner before. It can be called again after an error.
func (p *partition) judge(ctx context.Context) error {
	b := &p.batch
	for i := range b.rows {
		r := &b.rows[i]
		if r.present {
			r.set(p.present[r.offset])
			continue
		}
		r.effect, r.verdict = 1, verdictCounted
	}
	if p.posts != nil {
		if err := p.lookUpPosts(ctx); err != nil {
			return err
		}
	}
	p.requireSessions()
	if err := p.states.prepare(ctx, b.rows, b.first); err != nil {
		return err
	}
	p.states.decide(b.rows)
	return nil
}

func (r *row) set(s standing) { r.effect, r.verdict, r.author = s.effect, s.verdict, s.author }

// lookUpPosts gives each new event its post's author, and marks those that count nothing.
func (p *partition) lookUpPosts(ctx context.Context) error {
	b := &p.batch
	posts := map[core.ID]knownPost{}
	for i := range b.rows {
		if r := &b.rows[i]; !r.present {
			posts[r.post] = knownPost{}
		}
	}
	if err := p.posts.find(ctx, posts); err != nil {
		return err
	}
	var reacting []core.ID
	asked := map[core.ID]struct{}{}
	for i := range b.rows {
		r := &b.rows[i]
		if r.present {
			continue
		}
		known, ok := posts[r.post]
		r.author = known.author
		switch {
		case !ok:
			r.verdict = verdictUnresolved
		case known.gone:
			r.effect, r.verdict = 0, verdictNotVisible
		case !reactionOf(r.action, false).moves():
		case r.author == r.user:
			r.effect, r.verdict = 0, verdictOwn
		default:
			if _, ok := asked[r.user]; !ok {
				asked[r.user] = struct{}{}
				reacting = append(reacting, r.user)
			}
		}
	}
	blocked, err := p.posts.blocked(ctx, reacting)
	if err != nil || len(blocked) == 0 {
		return err
	}
	for i := range b.rows {
		r := &b.rows[i]
		if r.present || r.verdict != verdictCounted || !reactionOf(r.action, false).moves() {
			continue
		}
		if _, ok := blocked[pair{r.user, r.author}]; ok {
			r.effect, r.verdict = 0, verdictNotVisible
		}
	}
	return nil
}

// requireSessions takes away what an impression without a served feed_session would count, where one is required.
func (p *partition) requireSessions() {
	p.attribute()
	if !p.cfg.RequireSession {
		return
	}
	for i := range p.batch.rows {
		r := &p.batch.rows[i]
		if !r.present && r.action == core.ActionImpression && r.session == "" && r.effect != 0 {
			r.effect, r.verdict = 0, verdictNotServed
		}
	}
}
