package hot

import (
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Doubt is why a post that people reacted to is in no list.
type Doubt string

// The doubts.
const (
	TooFewPeople  Doubt = "too_few_people" // fewer than it takes, or than it takes for so many reactions
	FewAccounts   Doubt = "few_accounts"   // one account, or a few, did all that was done with it: see Suppress
	NotPublic     Doubt = "not_public"     // it is for others than everybody
	AuthorHidden  Doubt = "author_hidden"  // its author is suspended, banned or gone
	AuthorPrivate Doubt = "author_private" // its author shows posts to followers alone
	OptedOut      Doubt = "opted_out"      // its author does not want to be recommended
	Labelled      Doubt = "label"          // it has a label that keeps it out: see KeepOut
)

// LeftOut is a post that would be on a list of trending posts.
type LeftOut struct {
	Ranked
	Did core.Engagement // whether it counts or not
	Why Doubt
}

// LeftOut are the posts that would be highest in the list of an hour or a day, and are not in it; best first. People
// is how many it takes.
func (s *Set) LeftOut(hour bool, most int) (all []LeftOut, people int64) {
	now, ranking := s.clock.Now(), s.ranking.Get()
	until := now.Add(s.cfg.ClockTolerance).UnixMicro()
	people = s.floor(ranking)
	would := top{size: most}
	s.eachPage(func(posts []Post) {
		for i := range posts {
			p := &posts[i]
			if p.ID == 0 || p.Created > until || s.doubtOf(p, people) == "" {
				continue
			}
			if trend := ranking.Trend(s.index.done(p, hour, now), p.Age(now)); trend > 0 {
				would.offer(p, trend)
			}
		}
	})
	v := s.View()
	defer v.Close()
	for _, r := range would.sorted(most, most) {
		all = append(all, LeftOut{r, v.Done(&r.Post, hour, now), s.doubtOf(&r.Post, people)})
	}
	return all, people
}

// withheld is why a post is not for everybody; empty: it is.
func (s *Set) withheld(p *Post) Doubt {
	switch {
	case s.people.Absent.Has(p.Author):
		return AuthorHidden
	case s.people.Private.Has(p.Author):
		return AuthorPrivate
	case s.people.OptedOut.Has(p.Author):
		return OptedOut
	case p.Audience != core.Public:
		return NotPublic
	case p.Labels != 0 && len(s.keptOut) > 0:
		if _, out := s.Labels(p).First(s.keptOut); out {
			return Labelled
		}
	}
	return ""
}

// doubtOf is why a post is in no list; empty: nothing keeps it out.
func (s *Set) doubtOf(p *Post, people int64) Doubt {
	if why := s.withheld(p); why != "" {
		return why
	}
	switch {
	case p.Suppressed:
		return FewAccounts
	case p.Few || s.ranking.Get().People(p.all()) < people:
		return TooFewPeople
	}
	return ""
}

// Done is what was done with a post in the last 60 minutes, or 24 hours, whether it counts or not.
func (v View) Done(p *Post, hour bool, now time.Time) core.Engagement {
	return v.s.index.done(p, hour, now)
}

func (x *index) done(p *Post, hour bool, now time.Time) core.Engagement {
	if hour {
		return x.lastHour(p, now.Sub(now.Truncate(time.Hour)).Minutes())
	}
	return p.all()
}
