package partition

import (
	"context"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/counting"
	"github.com/feedrank/feedrank/modules/events/posts"
)

// decide decides of every event of the batch whether it counts, and for whose post. What is in the raw table
// was decided when it was written, by us or by an owner before. It can be called again after an error.
func (p *Worker) decide(ctx context.Context) error {
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
	if p.Posts != nil {
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
func (p *Worker) lookUpPosts(ctx context.Context) error {
	b := &p.batch
	found := make(map[core.ID]posts.Known, len(b.rows))
	for i := range b.rows {
		if r := &b.rows[i]; !r.Present {
			found[r.Post] = posts.Known{}
		}
	}
	if err := p.Posts.Find(ctx, found); err != nil {
		return err
	}
	var either []posts.Pair // a block counts in both directions
	asked := map[posts.Pair]struct{}{}
	for i := range b.rows {
		r := &b.rows[i]
		if r.Present {
			continue
		}
		known, ok := found[r.Post]
		r.Author = known.Author
		switch {
		case !ok:
			r.Verdict = counting.Unresolved
		case known.Gone:
			r.Effect, r.Verdict = 0, counting.NotVisible
		case !counting.KindOf(r.Action, false).Moves():
		case r.Author == r.User:
			r.Effect, r.Verdict = 0, counting.Own
		default:
			reaction := posts.Pair{User: r.User, Other: r.Author}
			if _, ok := asked[reaction]; !ok {
				asked[reaction] = struct{}{}
				either = append(either, reaction, posts.Pair{User: r.Author, Other: r.User})
			}
		}
	}
	blocked, err := p.Posts.Blocks(ctx, either)
	if err != nil || len(blocked) == 0 {
		return err
	}
	for i := range b.rows {
		r := &b.rows[i]
		if r.Present || r.Verdict != counting.Counted || !counting.KindOf(r.Action, false).Moves() {
			continue
		}
		_, blocks := blocked[posts.Pair{User: r.User, Other: r.Author}]
		_, isBlocked := blocked[posts.Pair{User: r.Author, Other: r.User}]
		if blocks || isBlocked {
			r.Effect, r.Verdict = 0, counting.NotVisible
		}
	}
	return nil
}

// requireSessions takes away what an impression without a served feed_session would count, where one is required.
func (p *Worker) requireSessions() {
	p.validateSessions()
	if !p.Config.RequireSession {
		return
	}
	for i := range p.batch.rows {
		r := &p.batch.rows[i]
		if !r.Present && r.Action == core.ActionImpression && r.Session == "" && r.Effect != 0 {
			r.Effect, r.Verdict = 0, counting.NotServed
		}
	}
}

// Sessions tells whether a feed_session was given to this user for this post.
type Sessions interface {
	Valid(user, post core.ID, session string) bool
}

// validateSessions takes the feed_session from events that did not earn it: what is in the raw table can be
// counted without looking at signatures again. The event itself counts all the same.
func (p *Worker) validateSessions() {
	if p.Sessions == nil {
		return
	}
	for i := range p.batch.rows {
		r := &p.batch.rows[i]
		if !r.Present && r.Session != "" && !p.Sessions.Valid(r.User, r.Post, r.Session) {
			r.Session = ""
			p.metrics.foreign.Inc()
		}
	}
}
