//go:build linux || darwin

package clickhouse

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// libchdb is the part of libchdb's C interface that is used here.
type libchdb struct {
	version func() string
	main    func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	signals func(enabled int32)
}

func loadLibrary(path string) (*libchdb, error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("%w: load %s: %w: run `make servers`, or point clickhouse.addrs at a server of your own",
			ErrNoLibrary, path, err)
	}
	l := new(libchdb)
	for symbol, into := range map[string]any{
		"chdb_version": &l.version, "query_stable_v2": &l.main, "chdb_set_signal_handlers_enabled": &l.signals,
	} {
		f, err := purego.Dlsym(handle, symbol)
		if err != nil {
			return nil, fmt.Errorf("%w: %s has no %s, so it is not of the version that this program needs: run `make servers`: %w",
				ErrNoLibrary, path, symbol, err)
		}
		purego.RegisterFunc(into, f)
	}
	// The Go runtime needs its own handlers, for preemption and for nil dereferences.
	l.signals(0)
	return l, nil
}

// result is what query_stable_v2 returns; its numbers are left out.
type result struct {
	_     unsafe.Pointer
	_     uintptr
	_     unsafe.Pointer
	_     float64
	_, _  uint64
	error *byte
}

// local runs clickhouse-local and returns when it has ended.
func (l *libchdb) local(args ...string) error {
	argv := make([]*byte, 0, len(args)+2)
	for _, arg := range append([]string{"clickhouse"}, args...) {
		argv = append(argv, &append([]byte(arg), 0)[0])
	}
	count := len(argv)
	argv = append(argv, nil)
	r := (*result)(l.main(int32(count), unsafe.Pointer(&argv[0]))) // a C array of strings; there are few
	runtime.KeepAlive(argv)
	if r == nil || r.error == nil {
		return nil
	}
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(r.error), n)) != 0 {
		n++
	}
	return errors.New(string(unsafe.Slice(r.error, n)))
}
