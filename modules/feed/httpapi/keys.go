package httpapi

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/hot"
)

// Keys reads the keys of clients.
type Keys interface {
	User(ctx context.Context, text string) (core.ID, error)
	Post(ctx context.Context, text string) (core.ID, error)
}

// keyText is the key of a body: a string or, leniently, a number.
type keyText string

// UnmarshalJSON implements json.Unmarshaler.
func (k *keyText) UnmarshalJSON(b []byte) error {
	var number json.Number
	if len(b) > 0 && b[0] != '"' {
		err := json.Unmarshal(b, &number)
		*k = keyText(number)
		return err
	}
	return json.Unmarshal(b, (*string)(k))
}

// whyNot is a verdict with the keys that were asked for.
type whyNot struct {
	User core.Key `json:"user"`
	Post core.Key `json:"post"`
	// Labels are those of the post that can be named.
	Labels []core.Key `json:"labels,omitempty"`
	feed.WhyNot
}

// nameWhyNot names what a verdict names, within its sentences too.
func nameWhyNot(ctx context.Context, f *feed.Feed, w feed.WhyNot) whyNot {
	ids := append([]core.ID{w.User, w.Post, w.Author, w.Label}, w.Labels...)
	if w.Fresh != nil {
		ids = append(ids, w.Fresh.Label)
	}
	texts := f.Texts(ctx, ids)
	out := whyNot{WhyNot: w}
	out.User, _ = w.User.Named(texts)
	out.Post, _ = w.Post.Named(texts)
	out.Labels = namedKeys(w.Labels, texts)
	for id, text := range texts {
		out.Detail = strings.ReplaceAll(out.Detail, id.String(), text)
		if out.Fresh != nil {
			out.Fresh.Detail = strings.ReplaceAll(out.Fresh.Detail, id.String(), text)
		}
	}
	return out
}

type filtered struct {
	Filter string         `json:"filter"`
	Count  int            `json:"count"`
	Posts  []filteredPost `json:"posts"`
}

type filteredPost struct {
	Post      core.Key  `json:"post"`
	Author    core.Key  `json:"author"`
	CreatedAt time.Time `json:"created_at"`
}

// nameFiltered leaves out what cannot be named.
func nameFiltered(ctx context.Context, f *feed.Feed, all []feed.Filtered) []filtered {
	var ids []core.ID
	for _, one := range all {
		for _, p := range one.Posts {
			ids = append(ids, p.Post, p.Author)
		}
	}
	texts := f.Texts(ctx, ids)
	out := make([]filtered, len(all))
	for i, one := range all {
		out[i] = filtered{Filter: one.Filter, Count: one.Count, Posts: make([]filteredPost, 0, len(one.Posts))}
		for _, p := range one.Posts {
			post, named := p.Post.Named(texts)
			author, also := p.Author.Named(texts)
			if named && also {
				out[i].Posts = append(out[i].Posts, filteredPost{post, author, p.CreatedAt})
			}
		}
	}
	return out
}

type trendReasons struct {
	PeopleNeeded int64         `json:"people_needed"`
	Items        []trendReason `json:"items"`
	LeftOut      []trendReason `json:"left_out"`
}

type trendReason struct {
	Post      core.Key  `json:"post"`
	Author    core.Key  `json:"author"`
	CreatedAt time.Time `json:"created_at"`
	Score     float64   `json:"score"`
	Did       *did      `json:"did"`
	Why       hot.Doubt `json:"why,omitempty"`
}

// did is what people did with a post.
type did struct {
	People    int64 `json:"people"`
	Likes     int64 `json:"likes"`
	Comments  int64 `json:"comments"`
	Shares    int64 `json:"shares"`
	Dislikes  int64 `json:"dislikes"`
	Exposures int64 `json:"exposures"`
}

// nameTrendReasons leaves out what cannot be named.
func nameTrendReasons(ctx context.Context, f *feed.Feed, reasons feed.TrendReasons) trendReasons {
	var ids []core.ID
	for _, one := range slices.Concat(reasons.Items, reasons.LeftOut) {
		ids = append(ids, one.Post, one.Author)
	}
	texts := f.Texts(ctx, ids)
	name := func(all []feed.TrendReason) []trendReason {
		out := make([]trendReason, 0, len(all))
		for _, one := range all {
			post, named := one.Post.Named(texts)
			author, also := one.Author.Named(texts)
			if !named || !also {
				continue
			}
			reason := trendReason{Post: post, Author: author, CreatedAt: one.CreatedAt, Score: one.Score, Why: one.Why}
			if e := one.Did; e != nil {
				reason.Did = &did{one.People, e.Likes, e.Comments, e.Shares, e.Dislikes, e.Exposures}
			}
			out = append(out, reason)
		}
		return out
	}
	return trendReasons{
		PeopleNeeded: reasons.PeopleNeeded, Items: name(reasons.Items), LeftOut: name(reasons.LeftOut),
	}
}

type dryRun struct {
	Users   []dryRunUser `json:"users"`
	Overlap float64      `json:"overlap"`
	Moved   float64      `json:"moved"`
	Hits    *feed.Hits   `json:"hits"`
}

type dryRunUser struct {
	User    core.Key   `json:"user"`
	Before  []core.Key `json:"before"`
	After   []core.Key `json:"after"`
	Overlap float64    `json:"overlap"`
	Moved   float64    `json:"moved"`
	Hits    *feed.Hits `json:"hits"`
}

// nameDryRun leaves out what cannot be named.
func nameDryRun(ctx context.Context, f *feed.Feed, tried feed.DryRun) dryRun {
	var ids []core.ID
	for _, u := range tried.Users {
		ids = append(append(append(ids, u.User), u.Before...), u.After...)
	}
	texts := f.Texts(ctx, ids)
	out := dryRun{Overlap: tried.Overlap, Moved: tried.Moved, Hits: tried.Hits}
	for _, u := range tried.Users {
		user, named := u.User.Named(texts)
		if named {
			out.Users = append(out.Users, dryRunUser{
				user, namedKeys(u.Before, texts), namedKeys(u.After, texts), u.Overlap, u.Moved, u.Hits,
			})
		}
	}
	return out
}

func namedKeys(ids []core.ID, texts map[core.ID]string) []core.Key {
	out := make([]core.Key, 0, len(ids))
	for _, id := range ids {
		if k, ok := id.Named(texts); ok {
			out = append(out, k)
		}
	}
	return out
}
