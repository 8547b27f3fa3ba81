package feed_test

import (
	"math"
	"sort"
	"time"
)

// reference is what a feed must be, told in the plainest way and sharing no code with the feed: it
// goes through all posts for every question.
type reference struct {
	posts        map[int]*refPost
	follows      map[[2]int]bool
	unfollows    map[[2]int]bool // once followed, not any more
	followedLate map[[2]int]bool // while ClickHouse was away
	blocks       map[[2]int]bool
	mutes        map[[2]int]bool
	members      map[[2]int]bool // of groups
	optedOut     map[int]bool    // of being recommended
	hidden       map[[2]int]bool
	appHides     map[[2]int]bool // posts, by the app's own table
	seen         map[[2]int]time.Time
	likes        map[[2]int]int // of a user for an author's posts; likewise the next two
	views        map[[2]int]int
	hides        map[[2]int]int
}

type refPost struct {
	id, author       int
	created          time.Time
	exposures, likes int
	audience         string // public, unlisted, followers, mutuals, members or direct
	group            int    // 0: in none
	sensitive        bool   // a label that keeps it out of discovery
}

func newReference() *reference {
	return &reference{
		posts: map[int]*refPost{}, follows: map[[2]int]bool{}, unfollows: map[[2]int]bool{}, blocks: map[[2]int]bool{},
		followedLate: map[[2]int]bool{}, members: map[[2]int]bool{}, optedOut: map[int]bool{}, mutes: map[[2]int]bool{},
		hidden: map[[2]int]bool{}, appHides: map[[2]int]bool{}, seen: map[[2]int]time.Time{}, likes: map[[2]int]int{},
		views: map[[2]int]int{}, hides: map[[2]int]int{},
	}
}

// mayEver tells whether a user may see a post at all; may, whether they may see it in a new session.
func (r *reference) mayEver(user int, p *refPost) bool {
	return p.author != user && !r.blocks[[2]int{user, p.author}] && !r.blocks[[2]int{p.author, user}] &&
		!r.mutes[[2]int{user, p.author}] && !r.hidden[[2]int{user, p.id}] &&
		!r.appHides[[2]int{user, p.id}] && r.isFor(user, p)
}

// isFor tells whether a post is for a user who is not its author.
func (r *reference) isFor(user int, p *refPost) bool {
	follows, followed := r.follows[[2]int{user, p.author}], r.follows[[2]int{p.author, user}]
	if p.sensitive && !follows && !r.members[[2]int{user, p.group}] {
		return false
	}
	switch p.audience {
	case "unlisted", "followers":
		return follows
	case "mutuals":
		return follows && followed
	case "members":
		return r.members[[2]int{user, p.group}]
	case "direct":
		return false
	default:
		return follows || !r.optedOut[p.author]
	}
}

// late tells whether a post that a user may see may yet be missing. Who follows a user is asked where the user follows
// them; of those whom they have followed since ClickHouse went, it is told when that is back.
func (r *reference) late(user int, p *refPost) bool {
	return p.audience == "mutuals" && r.followedLate[[2]int{user, p.author}]
}

func (r *reference) may(user int, p *refPost, now time.Time) bool {
	at, seen := r.seen[[2]int{user, p.id}]
	return r.mayEver(user, p) && (!seen || now.Sub(at) > 24*time.Hour)
}

// visible are the posts that a user's new session shows.
func (r *reference) visible(user int, now time.Time) map[int]bool {
	fresh, ever := map[int]bool{}, map[int]bool{}
	for id, p := range r.posts {
		if r.may(user, p, now) {
			fresh[id] = true
		}
		if r.mayEver(user, p) {
			ever[id] = true
		}
	}
	if len(fresh) == 0 {
		return ever // rather than nothing
	}
	return fresh
}

// timeline are the posts of a user's followees and those in their groups, latest first, whether or not they were seen.
func (r *reference) timeline(user int) []int {
	var list []*refPost
	for _, p := range r.posts {
		followed := r.follows[[2]int{user, p.author}] || r.members[[2]int{user, p.group}]
		if followed && r.mayEver(user, p) {
			list = append(list, p)
		}
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].created.Equal(list[j].created) {
			return list[i].id > list[j].id
		}
		return list[i].created.After(list[j].created)
	})
	ids := make([]int, len(list))
	for i, p := range list {
		ids[i] = p.id
	}
	return ids
}

func (r *reference) score(user int, p *refPost, now time.Time) float64 {
	freshness := math.Exp(-0.1 * now.Sub(p.created).Hours())
	engagement := math.Log1p((float64(p.likes) + 1) / (max(float64(p.exposures), float64(p.likes)/0.25) + 20))
	affinity := 0.0
	if !r.unfollows[[2]int{user, p.author}] {
		pair := [2]int{user, p.author}
		weighted := float64(r.likes[pair]) + 0.2*float64(r.views[pair]) - 5*float64(r.hides[pair])
		affinity = math.Copysign(math.Log1p(math.Abs(weighted)), weighted)
	}
	return 0.3*freshness + 0.4*engagement + 0.3*affinity
}

// ranked is a post as a page shows it.
type ranked struct {
	id, author int
	score      float64
	created    time.Time
}

// diversified puts posts in the order that the rules ask for, by trying all that remain for each place.
func diversified(posts []ranked) []int {
	sort.SliceStable(posts, func(i, j int) bool {
		if posts[i].score != posts[j].score {
			return posts[i].score > posts[j].score
		}
		if !posts[i].created.Equal(posts[j].created) {
			return posts[i].created.After(posts[j].created)
		}
		return posts[i].id > posts[j].id
	})
	var placed []ranked
	for len(posts) > 0 {
		best, least := 0, math.MaxInt
		for i, p := range posts {
			if cost := violation(placed, p.author); cost < least {
				best, least = i, cost
			}
		}
		placed = append(placed, posts[best])
		posts = append(append([]ranked{}, posts[:best]...), posts[best+1:]...)
	}
	ids := make([]int, len(placed))
	for i, p := range placed {
		ids[i] = p.id
	}
	return ids
}

// violation is 0 where no rule is broken; 1 for three in 50, 2 for the first five, 3 and more for the gap.
func violation(placed []ranked, author int) int {
	place, last, window := len(placed), -1, 0
	for i, p := range placed {
		if p.author == author {
			last = i
			if place-i < 50 {
				window++
			}
		}
	}
	switch {
	case last >= 0 && place-last <= 3:
		return 2 + 4 - (place - last)
	case last >= 0 && place < 5:
		return 2
	case window >= 3:
		return 1
	default:
		return 0
	}
}
