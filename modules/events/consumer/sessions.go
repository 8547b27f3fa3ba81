package consumer

import "github.com/feedrank/feedrank/modules/core"

// Sessions tells whether a feed_session was given to this user for this post.
type Sessions interface {
	Valid(user, post core.ID, session string) bool
}

// validateSessions takes the feed_session from events that did not earn it: what is in the raw table can be
// counted without looking at signatures again. The event itself counts all the same.
func (p *partition) validateSessions() {
	if p.sessions == nil {
		return
	}
	for i := range p.batch.rows {
		r := &p.batch.rows[i]
		if !r.Present && r.Session != "" && !p.sessions.Valid(r.User, r.Post, r.Session) {
			r.Session = ""
			p.metrics.foreign.Inc()
		}
	}
}
