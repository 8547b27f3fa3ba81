package feed

import (
	"context"
	"slices"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
)

// nameItems finds the keys of the page's posts and authors that are no integers. What cannot be named is left out.
func (f *Feed) nameItems(ctx context.Context, r *request) {
	r.unnamed = r.unnamed[:0]
	for _, item := range r.Items {
		if item.ID.Derived() {
			r.unnamed = append(r.unnamed, item.ID)
		}
		if item.Author.Derived() {
			r.unnamed = append(r.unnamed, item.Author)
		}
	}
	if len(r.unnamed) == 0 {
		return
	}
	texts, err := f.names.Texts(ctx, r.unnamed)
	kept := func(ctx context.Context) error { return f.names.LoadKept(ctx, r.User) }
	if err != nil && f.guards.Redis.Do(ctx, kept) == nil {
		texts, _ = f.names.Texts(ctx, r.unnamed)
	}
	r.Texts = texts
	r.Items = slices.DeleteFunc(r.Items, func(item *shortlist.Post) bool {
		_, post := item.ID.Named(texts)
		_, author := item.Author.Named(texts)
		return !post || !author
	})
}

// Texts are the keys of numbers that are no integers.
func (f *Feed) Texts(ctx context.Context, ids []core.ID) map[core.ID]string {
	texts, _ := f.names.Texts(ctx, ids) // what it does not know is left out
	return texts
}
