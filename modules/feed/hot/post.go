package hot

import (
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// counts are the sums of some hours. They are signed: an hour in which likes were only taken back
// is negative.
type counts struct{ exposures, likes, comments, shares int32 }

func (c counts) engagement() core.Engagement {
	return core.Engagement{
		Exposures: int64(c.exposures), Likes: int64(c.likes), Comments: int64(c.comments),
		Shares: int64(c.shares),
	}
}

func countsOf(e core.Engagement) counts {
	return counts{clamp(e.Exposures), clamp(e.Likes), clamp(e.Comments), clamp(e.Shares)}
}

func dislikesOf(e core.Engagement) int32 { return max(0, clamp(e.Dislikes)) }

func clamp(n int64) int32 {
	const most = 1<<31 - 1
	return int32(max(-most, min(most, n)))
}

// Age says how old an hour of engagement is, against the hour that the set counts as the current one.
type Age uint8

// The ages.
const (
	Past     Age = iota // the other 22 hours of the day
	Previous            // the hour before
	Current             // this hour, so far
)

// Post is a visible post and what was done with it in the last 24 hours, by whole hours.
type Post struct {
	ID         core.ID
	Author     core.ID
	Created    int64   // microseconds since 1970
	term       float64 // of engagement: see index.rate. What a page needs stands first: it is in fewer cache lines
	Suppressed bool    // its engagement does not count: see Suppress
	Few        bool    // nor does this: see rank.Config.Doubtful
	Audience   core.Audience
	Labels     LabelSet // see Set.Labels
	counts     [3]counts
	dislikes   int32   // of the day: see index.dislikes
	Group      core.ID // in which it is; 0: in none
}

// Day is the engagement of the last 24 hours.
func (p *Post) Day() core.Engagement {
	if p.Suppressed || p.Few {
		return core.Engagement{}
	}
	return p.all()
}

// all is the same, whether it counts or not.
func (p *Post) all() core.Engagement {
	day := p.counts[Past].engagement().Add(p.counts[Previous].engagement()).Add(p.counts[Current].engagement())
	day.Dislikes = int64(p.dislikes)
	return day
}

// lastHour is the engagement of the last 60 minutes, whether it counts or not, taking that of the hour before as spread
// evenly.
func (x *index) lastHour(p *Post, minuteOfHour float64) core.Engagement {
	left := max(0, 1-minuteOfHour/60)
	now, prev := p.counts[Current].engagement(), p.counts[Previous].engagement()
	if p.dislikes != 0 {
		of := x.dislikes[p.ID]
		now.Dislikes, prev.Dislikes = int64(of[Current]), int64(of[Previous])
	}
	share := func(n int64) int64 { return int64(float64(n) * left) }
	return now.Add(core.Engagement{
		Exposures: share(prev.Exposures), Likes: share(prev.Likes), Comments: share(prev.Comments),
		Shares: share(prev.Shares), Dislikes: share(prev.Dislikes),
	})
}

// count takes over what was done in the hours of an age, and tells whether that changed anything.
func (x *index) count(p *Post, age Age, c counts, dislikes int32) bool {
	same := p.counts[age] == c
	p.counts[age] = c
	return x.countDislikes(p, age, dislikes) || !same
}

func (x *index) countDislikes(p *Post, age Age, n int32) bool {
	if p.dislikes == 0 && n == 0 { // nearly always
		return false
	}
	of := x.dislikes[p.ID]
	if of[age] == n {
		return false
	}
	of[age] = n
	p.dislikes = clamp(int64(of[Past]) + int64(of[Previous]) + int64(of[Current]))
	if p.dislikes == 0 {
		delete(x.dislikes, p.ID)
	} else {
		x.dislikes[p.ID] = of
	}
	return true
}

// asPost is what ranking knows of a post, but for its engagement.
func (x *index) asPost(p *Post) *core.Post {
	return &core.Post{
		ID: p.ID, AuthorID: p.Author, CreatedAt: time.UnixMicro(p.Created), Audience: p.Audience, Group: p.Group,
		Labels: x.labels.of(p.Labels),
	}
}

// Age is how long ago the post was made.
func (p *Post) Age(now time.Time) time.Duration {
	return time.Duration(now.UnixMicro()-p.Created) * time.Microsecond
}

// before is the order of a timeline, oldest first.
func (p *Post) before(o *Post) bool {
	return p.Created < o.Created || (p.Created == o.Created && p.ID < o.ID)
}
