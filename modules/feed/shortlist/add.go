package shortlist

import (
	"slices"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// Append puts a post in whose author has the number at.
func (l *List) Append(p *hot.Post, source reserve.Source, author reserve.Author, at int32) *Post {
	l.Posts = append(l.Posts, Post{
		ID: p.ID, Author: p.Author, Created: p.Created, Engagement: p.Day(), Source: source,
		Interactions: author.Affinity(), AuthorAt: at,
		Suppressed: p.Suppressed || p.Few,
	})
	return &l.Posts[len(l.Posts)-1]
}

// Add puts a post in whose author the reserve may not know.
func (l *List) Add(p *hot.Post, source reserve.Source, r *reserve.Reserve) *Post {
	return l.Append(p, source, r.Author(p.Author), l.Number(p.Author, r))
}

// Number is the number of an author: the reserve's, or one behind them.
func (l *List) Number(author core.ID, r *reserve.Reserve) int32 {
	if at, ok := r.Find(author); ok {
		return int32(at)
	}
	at, ok := l.extra[author]
	if !ok {
		at = l.Nobody()
		l.extra[author] = at
	}
	return at
}

// Nobody is the number of an author of whom nothing is known, and whom the list does not have.
func (l *List) Nobody() int32 {
	at := int32(l.authorCount)
	l.authorCount++
	return at
}

// Has tells whether a post is on the list. It is asked for the few posts that are new.
func (l *List) Has(post core.ID) bool {
	for _, p := range l.Posts[len(l.ids):] { // ids alone are in far fewer cache lines
		l.ids = append(l.ids, p.ID)
	}
	return slices.Contains(l.ids, post)
}
