//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// engine is the ClickHouse engine of this process, open on one directory.
type engine struct {
	lib  *libchdb
	args []string

	// keeper holds the engine open while no client is connected, and runs what the front itself asks of it.
	keeper   *session
	keeperMu sync.Mutex

	// schema counts the statements that may have changed a table; what was learnt about one before is void after.
	schema atomic.Uint64
	types  typeCache

	versionText string
	timezone    string
}

// sessionDefaults are the settings with which an embedded session would differ from a server's.
func sessionDefaults() map[string]string {
	return map[string]string{
		"implicit_select":               "0",
		"allow_introspection_functions": "0",
		"storage_file_read_method":      "pread",
	}
}

func openEngine(library, dir string, memoryLimit int64) (*engine, error) {
	// Servers run in UTC, and so does this one, wherever the machine is. The engine looks when it is loaded.
	if err := os.Setenv("TZ", "UTC"); err != nil {
		return nil, fmt.Errorf("set the engine's time zone: %w", err)
	}
	lib, err := loadLibrary(library)
	if err != nil {
		return nil, err
	}
	e := &engine{lib: lib, args: []string{
		"clickhouse",
		"--path=" + dir,
		"--max_server_memory_usage=" + strconv.FormatInt(memoryLimit, 10),
		// It shares the machine with everything else: two merges at a time, behind those who ask (where the system allows it).
		"--background_pool_size=2",
		"--os_threads_nice_value_merge_mutate=10",
		"--max_parts_cleaning_thread_pool_size=4",
		"--max_active_parts_loading_thread_pool_size=4",
		"--max_outdated_parts_loading_thread_pool_size=4",
		// The caches are upper bounds; the defaults (5 GiB each) exceed the limit above.
		"--mark_cache_size=268435456",
		"--primary_index_cache_size=268435456",
		"--index_mark_cache_size=67108864",
		"--vector_similarity_index_cache_size=67108864",
		"--mmap_cache_size=256",
	}}
	for k, v := range sessionDefaults() {
		e.args = append(e.args, "--"+k+"="+v)
	}
	if e.keeper, err = e.connect(); err != nil {
		return nil, fmt.Errorf("open the ClickHouse engine on %s: %w", dir, err)
	}
	row, err := e.keeper.text("SELECT version(), timezone()")
	if err != nil {
		e.keeper.close()
		return nil, fmt.Errorf("ask the ClickHouse engine for its version: %w", err)
	}
	e.versionText, e.timezone, _ = strings.Cut(strings.TrimSpace(row), "\t")
	return e, nil
}

// connect opens a session, with settings, a current database and temporary tables of its own.
func (e *engine) connect() (*session, error) {
	argv := make([]*byte, 0, len(e.args)+1)
	for _, arg := range e.args {
		argv = append(argv, &append([]byte(arg), 0)[0])
	}
	argv = append(argv, nil)
	handle := e.lib.connect(int32(len(e.args)), unsafe.Pointer(&argv[0])) //nolint:gosec // a C array of strings; there are ten
	runtime.KeepAlive(argv)
	if handle == nil {
		return nil, errors.New("the engine refused the connection: is the directory writable, and of a version that it can read?")
	}
	return &session{engine: e, lib: e.lib, handle: handle, base: sessionDefaults(), set: map[string]string{}}, nil
}

func (e *engine) createDatabase(name string) error {
	if name == "default" {
		return nil
	}
	return e.do("CREATE DATABASE IF NOT EXISTS " + quoteIdentifier(name))
}

// do runs a statement of the front's own.
func (e *engine) do(sql string) error {
	_, err := e.ask(sql)
	return err
}

// ask runs a statement of the front's own and returns its rows as tab-separated text.
func (e *engine) ask(sql string) (string, error) {
	e.keeperMu.Lock()
	defer e.keeperMu.Unlock()
	return e.keeper.text(sql)
}

// close ends the engine, once every other session is closed.
func (e *engine) close() {
	e.keeperMu.Lock()
	defer e.keeperMu.Unlock()
	e.keeper.close()
}
