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
	counts     [3]counts
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
	return p.counts[Past].engagement().Add(p.counts[Previous].engagement()).Add(p.counts[Current].engagement())
}

// Hour is the engagement of the last 60 minutes, taking that of the hour before as spread evenly.
func (p *Post) Hour(minuteOfHour float64) core.Engagement {
	if p.Suppressed || p.Few {
		return core.Engagement{}
	}
	return p.lastHour(minuteOfHour)
}

// lastHour is the same, whether it counts or not.
func (p *Post) lastHour(minuteOfHour float64) core.Engagement {
	left := max(0, 1-minuteOfHour/60)
	prev := p.counts[Previous].engagement()
	share := func(n int64) int64 { return int64(float64(n) * left) }
	return p.counts[Current].engagement().Add(core.Engagement{
		Exposures: share(prev.Exposures), Likes: share(prev.Likes), Comments: share(prev.Comments),
		Shares: share(prev.Shares),
	})
}

// asPost is what ranking knows of it, but for its engagement.
func (p *Post) asPost() *core.Post {
	return &core.Post{
		ID: p.ID, AuthorID: p.Author, CreatedAt: time.UnixMicro(p.Created), Audience: p.Audience, Group: p.Group,
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
