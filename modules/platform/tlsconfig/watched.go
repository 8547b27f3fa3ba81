package tlsconfig

import (
	"os"
	"slices"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// watched is something that is made from files, and made anew when one of them has changed.
type watched[T any] struct {
	clock  core.Clock
	load   func() (T, error)
	failed func(error) // told of a change that does not load
	files  []string

	mu     sync.Mutex
	loaded bool
	value  T
	seen   []stamp
	looked time.Time
}

// stamp is how a file looks from outside.
type stamp struct {
	modified time.Time
	size     int64
}

// lookEvery bounds how often the files are looked at: handshakes come in thousands a second.
const lookEvery = time.Second

func newWatched[T any](load func() (T, error), failed func(error), files ...string) *watched[T] {
	return &watched[T]{
		clock: core.SystemClock{}, load: load, failed: failed,
		files: slices.DeleteFunc(files, func(f string) bool { return f == "" }),
	}
}

// get is the newest value that loaded; an error only if none ever did.
func (w *watched[T]) get() (T, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock.Now()
	if w.loaded && core.Within(lookEvery, w.looked, now) {
		return w.value, nil
	}
	w.looked = now
	stamps := w.stamps()
	if w.loaded && slices.Equal(stamps, w.seen) {
		return w.value, nil
	}
	value, err := w.load()
	switch {
	case err == nil:
		w.value, w.loaded = value, true
	case w.loaded:
		w.failed(err)
	default:
		return w.value, err
	}
	w.seen = stamps // also of files that do not load: they are told of once
	return w.value, nil
}

func (w *watched[T]) stamps() []stamp {
	out := make([]stamp, len(w.files))
	for i, file := range w.files {
		if info, err := os.Stat(file); err == nil {
			out[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return out
}
