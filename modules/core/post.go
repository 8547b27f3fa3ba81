package core

import "time"

// Visibility says whether a post may be shown at all.
type Visibility uint8

// A post is either there, for its audience, or for nobody.
const (
	Visible Visibility = iota
	Hidden             // deleted, or hidden by its status in the app
)

// Audience says who may see a post that is there. The numbers are stored.
type Audience uint8

// The audiences.
const (
	Public    Audience = 0 // everybody
	Unlisted  Audience = 1 // the author's followers: it is in no list for everybody, and no stranger's feed
	Followers Audience = 2 // the author's followers
	Mutuals   Audience = 3 // those who follow the author and whom the author follows
	Direct    Audience = 4 // nobody's feed: it is for those whom it names
	Members   Audience = 5 // the members of its group
)

// Post is what ranking knows of a post.
type Post struct {
	ID         ID
	AuthorID   ID
	CreatedAt  time.Time
	Visibility Visibility
	Audience   Audience
	Group      ID // in which it is; 0: in none
	Labels     Labels
}

// Engagement counts what people did with a post in a window of time.
type Engagement struct {
	Exposures int64 // impressions
	Likes     int64 // a reaction of more than one (cdc.tables.like.values) counts as so many
	Comments  int64
	Shares    int64
	Dislikes  int64 // votes against it; only the app's own table tells of them
}

// Add sums two windows.
func (e Engagement) Add(o Engagement) Engagement {
	return Engagement{
		Exposures: e.Exposures + o.Exposures,
		Likes:     e.Likes + o.Likes,
		Comments:  e.Comments + o.Comments,
		Shares:    e.Shares + o.Shares,
		Dislikes:  e.Dislikes + o.Dislikes,
	}
}
