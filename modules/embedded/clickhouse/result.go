//go:build (linux || darwin) && !noembedded

package clickhouse

import "unsafe"

// result is what a statement returned, in the engine's memory until it is freed.
type result struct {
	lib *libchdb
	ptr unsafe.Pointer
}

func (r *result) err() error {
	if r.ptr == nil {
		return nil
	}
	if text := r.lib.resultError(r.ptr); text != "" {
		return parseException(text)
	}
	return nil
}

// bytes is valid until free.
func (r *result) bytes() []byte {
	if r.ptr == nil {
		return nil
	}
	n := r.lib.resultLength(r.ptr)
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(r.lib.resultBuffer(r.ptr)), n) //nolint:gosec // the engine says how long it is
}

// read is how many rows and bytes were read from tables for it.
func (r *result) read() (rows, bytes uint64) {
	if r.ptr == nil {
		return 0, 0
	}
	return r.lib.resultReadRows(r.ptr), r.lib.resultReadBytes(r.ptr)
}

// written is how many rows and bytes were written to tables for it.
func (r *result) written() (rows, bytes uint64) {
	if r.ptr == nil {
		return 0, 0
	}
	return r.lib.resultRows(r.ptr), r.lib.resultBytes(r.ptr)
}

func (r *result) free() {
	if r.ptr != nil {
		r.lib.resultFree(r.ptr)
		r.ptr = nil
	}
}

// cParams are parameters as C arrays: names, values, and the length of each.
type cParams struct {
	names, nameLens, values, valueLens unsafe.Pointer
	count                              uintptr
}

func newCParams(params []parameter) *cParams {
	if len(params) == 0 {
		return &cParams{}
	}
	names, values := make([]unsafe.Pointer, len(params)), make([]unsafe.Pointer, len(params))
	nameLens, valueLens := make([]uintptr, len(params)), make([]uintptr, len(params))
	for i, p := range params {
		names[i], nameLens[i] = cBytes(p.name), uintptr(len(p.name))
		values[i], valueLens[i] = cBytes(p.value), uintptr(len(p.value))
	}
	return &cParams{
		names: unsafe.Pointer(&names[0]), nameLens: unsafe.Pointer(&nameLens[0]), //nolint:gosec // C arrays
		values: unsafe.Pointer(&values[0]), valueLens: unsafe.Pointer(&valueLens[0]), //nolint:gosec // C arrays
		count: uintptr(len(params)),
	}
}

// cBytes points at the bytes of s, for calls that take the length as well and only read.
func cBytes(s string) unsafe.Pointer {
	if s == "" {
		return unsafe.Pointer(unsafe.StringData("\x00")) //nolint:gosec // a C pointer
	}
	return unsafe.Pointer(unsafe.StringData(s)) //nolint:gosec // a C pointer
}
