package redis

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
)

// expiry makes time pass for keys with a TTL, as Redis does: a key whose time is over is gone for the
// next command that names it, and soon after for all others. miniredis has no clock: it walks over every key to let
// time pass, 1 ms for 1,000 keys, during which it answers nobody. Here a key costs something only when it is named.
type expiry struct {
	store *miniredis.Miniredis
	mu    sync.Mutex // one command at a time, as Redis itself
	keys  map[string]*mortal
	next  deadlines
}

// mortal is a key with a TTL.
type mortal struct {
	key      string
	deadline time.Time
	place    int // in next
}

func newExpiry(store *miniredis.Miniredis) *expiry {
	return &expiry{store: store, keys: map[string]*mortal{}}
}

// refused are commands whose keys we would not learn of, and those that wait.
var refused = map[string]bool{
	"MULTI": true, "WATCH": true, "MOVE": true, "SWAPDB": true, "HEXPIRE": true, "HSETEX": true, "WAIT": true,
	"BLPOP": true, "BRPOP": true, "BRPOPLPUSH": true, "BLMOVE": true, "BZPOPMIN": true, "BZPOPMAX": true,
	"BZMPOP": true,
	"XREAD":  true, "XREADGROUP": true,
}

// serve answers one command. The TTL of each key that it names is brought up to date before, and looked at after it.
func (e *expiry) serve(peer *server.Peer, command string, args ...string) (done bool) {
	if refused[command] || (command == "SELECT" && len(args) == 1 && args[0] != "0") {
		peer.WriteError("ERR the embedded Redis knows no " + command + ": use a Redis of your own")
		return true
	}
	if command == "CLUSTER" { // the store would name an address of its own
		peer.WriteError("ERR This instance has cluster support disabled")
		return true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now, keys := time.Now(), named(command, args)
	for _, key := range keys {
		e.age(key, now)
	}
	e.store.Server().Dispatch(peer, append([]string{command}, args...))
	for _, key := range keys {
		e.note(key, now)
	}
	if command == "FLUSHALL" || command == "FLUSHDB" {
		e.forgetGone()
	}
	return true
}

// age tells the store how long a key still has, or removes it.
func (e *expiry) age(key string, now time.Time) {
	m, ok := e.keys[key]
	if !ok {
		return
	}
	if left := m.deadline.Sub(now); left > 0 {
		e.store.SetTTL(key, left)
		return
	}
	e.store.Del(key)
	e.forget(m)
}

// note learns how long a key has.
func (e *expiry) note(key string, now time.Time) {
	left := e.store.TTL(key)
	m, ok := e.keys[key]
	switch {
	case left == 0 && ok:
		e.forget(m)
	case left == 0:
	case !ok:
		m = &mortal{key: key, deadline: now.Add(left)}
		e.keys[key] = m
		heap.Push(&e.next, m)
	case !m.deadline.Equal(now.Add(left)):
		m.deadline = now.Add(left)
		heap.Fix(&e.next, m.place)
	}
}

// forgetGone is for commands that remove keys without naming them.
func (e *expiry) forgetGone() {
	for key, m := range e.keys {
		if e.store.TTL(key) == 0 {
			e.forget(m)
		}
	}
}

func (e *expiry) forget(m *mortal) {
	delete(e.keys, m.key)
	heap.Remove(&e.next, m.place)
}

const (
	sweepEvery = 10 * time.Millisecond
	sweepMost  = 1000 // keys at a time
)

// run removes keys whose time is over until ctx ends.
func (e *expiry) run(ctx context.Context) error {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-ticker.C:
			e.sweep(now)
		}
	}
}

func (e *expiry) sweep(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for range sweepMost {
		if len(e.next) == 0 || e.next[0].deadline.After(now) {
			return
		}
		e.age(e.next[0].key, now)
	}
}

// deadlines is a heap, the first one on top.
type deadlines []*mortal

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].deadline.Before(d[j].deadline) }

func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].place, d[j].place = i, j
}

func (d *deadlines) Push(x any) {
	m := x.(*mortal) // we push nothing else
	m.place = len(*d)
	*d = append(*d, m)
}

func (d *deadlines) Pop() any {
	last := len(*d) - 1
	m := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	return m
}
