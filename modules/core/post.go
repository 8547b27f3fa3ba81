package core

import "time"

// Visibility says whether a post may be shown at all.
type Visibility uint8

// A post is either visible to everybody who is not blocked, or to nobody.
const (
	Visible Visibility = iota
	Hidden             // deleted, or hidden by its status in the app
)

// Post is what ranking knows of a post.
type Post struct {
	ID         ID
	AuthorID   ID
	CreatedAt  time.Time
	Visibility Visibility
}

// Engagement counts what people did with a post in a window of time.
type Engagement struct {
	Exposures int64 // impressions
	Likes     int64
	Comments  int64
	Shares    int64
}

// Add sums two windows.
func (e Engagement) Add(o Engagement) Engagement {
	return Engagement{
		Exposures: e.Exposures + o.Exposures,
		Likes:     e.Likes + o.Likes,
		Comments:  e.Comments + o.Comments,
		Shares:    e.Shares + o.Shares,
	}
}
