package window

// Map holds the latest keys, between half of its size and all of it: the older of two maps is dropped
// when the younger is half full. So of half its size the latest are all there.
type Map[K comparable, V any] struct {
	half       int
	young, old map[K]V
}

// New makes one of a size.
func New[K comparable, V any](size int) *Map[K, V] {
	return &Map[K, V]{half: max(1, size/2), young: map[K]V{}, old: map[K]V{}}
}

// Find looks a key up.
func (w *Map[K, V]) Find(k K) (v V, ok bool) {
	if v, ok = w.young[k]; ok {
		return v, true
	}
	v, ok = w.old[k]
	return v, ok
}

// Add remembers a key.
func (w *Map[K, V]) Add(k K, v V) {
	if len(w.young) >= w.half {
		w.old, w.young = w.young, w.old
		clear(w.young)
	}
	w.young[k] = v
}

// Len is how many keys are remembered.
func (w *Map[K, V]) Len() int { return len(w.young) + len(w.old) }

// Clear forgets all.
func (w *Map[K, V]) Clear() {
	clear(w.young)
	clear(w.old)
}
