package feed

import (
	"context"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// hideWithin bounds what an event's answer waits for Redis.
const hideWithin = 100 * time.Millisecond

// hides are the posts that this replica was told are hidden, by viewer: what Redis may not have. They hold in
// every page that is made here, whatever it is made of.
type hides struct {
	adding  sync.Mutex
	viewers *lru.Cache[core.ID, []byte]
	most    int // of one viewer
}

func newHides(viewers, most int) (*hides, error) {
	cache, err := lru.New[core.ID, []byte](viewers)
	return &hides{viewers: cache, most: most}, err
}

func (h *hides) add(user core.ID, hidden []store.Mark) {
	h.adding.Lock()
	defer h.adding.Unlock()
	before, _ := h.viewers.Get(user)
	if more := marks.Without(appendMarks(nil, hidden), before); len(more) > 0 {
		// readers may have the old one
		all := append(append(make([]byte, 0, len(before)+len(more)), before...), more...)
		h.viewers.Add(user, all[max(0, len(all)-h.most*marks.Size):])
	}
}

func (h *hides) of(user core.ID) []byte {
	hidden, _ := h.viewers.Get(user)
	return hidden
}

// Hide keeps posts out of a user's feeds from now on, or no longer: in this replica at once, in others when Redis has
// it. The consumer does it again when it has the events, and pushes their authors down; while ClickHouse is away, that
// is later than anybody would wait.
func (f *Feed) Hide(ctx context.Context, user core.ID, hidden []core.HiddenPost) {
	noted := f.HideHere(user, hidden)
	ctx, cancel := context.WithTimeout(ctx, hideWithin)
	defer cancel()
	err := f.guards.Redis.Do(ctx, func(ctx context.Context) error { return f.store.MarkHidden(ctx, noted) })
	if err != nil {
		f.metrics.redisFailures.WithLabelValues("hide").Inc() // the consumer's turn
	}
}

// HideHere does so in the feeds that this replica makes, and tells nobody else.
func (f *Feed) HideHere(user core.ID, hidden []core.HiddenPost) []store.Mark {
	noted := make([]store.Mark, len(hidden))
	for i, h := range hidden {
		noted[i] = hiddenMark(user, h.Post, h.At, h.Back)
	}
	f.hides.add(user, noted)
	return noted
}

func hiddenMark(user, post core.ID, at time.Time, back bool) store.Mark {
	if back {
		post = marks.Undo(post)
	}
	return store.Mark{User: user, Post: post, At: at}
}
