//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"fmt"
	"unsafe"

	"github.com/ebitengine/purego"
)

// libchdb is the part of libchdb's C interface that is used here. Handles are opaque C pointers. No call keeps a pointer
// into Go memory after it returns, except connect, whose arguments openEngine keeps alive.
type libchdb struct {
	setSignalHandlersEnabled func(enabled int32)
	version                  func() string
	connect                  func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	closeConn                func(conn unsafe.Pointer)

	query       func(conn, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer
	streamQuery func(conn, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer
	streamFetch func(conn, stream unsafe.Pointer) unsafe.Pointer
	streamStop  func(conn, stream unsafe.Pointer)

	resultBuffer    func(result unsafe.Pointer) unsafe.Pointer
	resultLength    func(result unsafe.Pointer) uintptr
	resultError     func(result unsafe.Pointer) string
	resultReadRows  func(result unsafe.Pointer) uint64
	resultReadBytes func(result unsafe.Pointer) uint64
	resultRows      func(result unsafe.Pointer) uint64
	resultBytes     func(result unsafe.Pointer) uint64
	resultFree      func(result unsafe.Pointer)

	insert       func(conn, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer
	insertAppend func(stream, data unsafe.Pointer, size uintptr) int32
	insertDone   func(stream unsafe.Pointer) unsafe.Pointer
	insertError  func(stream unsafe.Pointer) string
	insertCancel func(stream unsafe.Pointer)
	insertFree   func(stream unsafe.Pointer)
}

func loadLibrary(path string) (*libchdb, error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("%w: load %s: %w", ErrNoLibrary, path, err)
	}
	l := new(libchdb)
	for _, f := range []struct {
		symbol string
		into   any
	}{
		{"chdb_set_signal_handlers_enabled", &l.setSignalHandlersEnabled},
		{"chdb_version", &l.version},
		{"chdb_connect", &l.connect},
		{"chdb_close_conn", &l.closeConn},
		{"chdb_query_with_params_n", &l.query},
		{"chdb_stream_query_with_params_n", &l.streamQuery},
		{"chdb_stream_fetch_result", &l.streamFetch},
		{"chdb_stream_cancel_query", &l.streamStop},
		{"chdb_result_buffer", &l.resultBuffer},
		{"chdb_result_length", &l.resultLength},
		{"chdb_result_error", &l.resultError},
		{"chdb_result_storage_rows_read", &l.resultReadRows},
		{"chdb_result_storage_bytes_read", &l.resultReadBytes},
		{"chdb_result_rows_written", &l.resultRows},
		{"chdb_result_bytes_written", &l.resultBytes},
		{"chdb_destroy_query_result", &l.resultFree},
		{"chdb_stream_insert_with_params_n", &l.insert},
		{"chdb_stream_append", &l.insertAppend},
		{"chdb_stream_done", &l.insertDone},
		{"chdb_stream_insert_error", &l.insertError},
		{"chdb_stream_cancel_insert", &l.insertCancel},
		{"chdb_destroy_insert_stream", &l.insertFree},
	} {
		symbol, err := purego.Dlsym(handle, f.symbol)
		if err != nil {
			return nil, fmt.Errorf("%w: %s has no %s, so it is another version than the one this program was built for: %w", ErrNoLibrary, path, f.symbol, err)
		}
		purego.RegisterFunc(f.into, symbol)
	}
	// The engine's handlers would take over the Go runtime's, which needs its own for preemption and for nil dereferences.
	l.setSignalHandlersEnabled(0)
	return l, nil
}
