package events

// window holds the latest keys, between half of its size and all of it: the older of two maps is dropped
// when the younger is half full. So of half its size the latest are all there.
type window[K comparable, V any] struct {
	half       int
	young, old map[K]V
}

func newWindow[K comparable, V any](size int) *window[K, V] {
	return &window[K, V]{half: max(1, size/2), young: map[K]V{}, old: map[K]V{}}
}

func (w *window[K, V]) find(k K) (v V, ok bool) {
	if v, ok = w.young[k]; ok {
		return v, true
	}
	v, ok = w.old[k]
	return v, ok
}

func (w *window[K, V]) add(k K, v V) {
	if len(w.young) >= w.half {
		w.old, w.young = w.young, w.old
		clear(w.young)
	}
	w.young[k] = v
}

func (w *window[K, V]) len() int { return len(w.young) + len(w.old) }

func (w *window[K, V]) clear() {
	clear(w.young)
	clear(w.old)
}
