package viewer

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/store"
)

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

// Hide keeps posts out of a user's feeds that this replica makes, from now on, or no longer. It gives the marks that
// tell Redis so.
func (m *Memory) Hide(user core.ID, hidden []core.HiddenPost) []store.Mark {
	noted := make([]store.Mark, len(hidden))
	for i, h := range hidden {
		noted[i] = hiddenMark(user, h.Post, h.At, h.Back)
	}
	m.hides.add(user, noted)
	return noted
}

func hiddenMark(user, post core.ID, at time.Time, back bool) store.Mark {
	if back {
		at = marks.Undo(at)
	}
	return store.Mark{User: user, Post: post, At: at}
}
