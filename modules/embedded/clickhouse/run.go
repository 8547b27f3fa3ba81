//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// Run opens the engine on o.DataDir, listens, calls ready with the address once clients can connect, and serves until ctx
// ends. It then lets running queries finish within o.DrainTimeout, cancels those that do not, closes the engine and
// returns nil.
func Run(ctx context.Context, o Options, ready func(addr string)) (err error) {
	o = o.withDefaults()
	if o.DataDir == "" {
		return errors.New("clickhouse: no data directory given")
	}
	dir, err := filepath.Abs(o.DataDir)
	if err != nil {
		return fmt.Errorf("clickhouse data directory %q: %w", o.DataDir, err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("clickhouse data directory: %w", err)
	}
	library := o.Library
	if library == "" {
		if library, err = FindLibrary(); err != nil {
			return err
		}
	}

	// The lock comes before the engine: opening a directory that another engine writes would corrupt it.
	lock, err := lockDirectory(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()

	eng, err := openEngine(library, dir, o.MemoryLimit)
	if err != nil {
		return err
	}
	defer eng.close()
	if err := eng.createDatabase(o.Database); err != nil {
		return fmt.Errorf("create database %q: %w", o.Database, err)
	}

	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", o.Addr)
	if err != nil {
		return fmt.Errorf("clickhouse listen: %w", err)
	}
	s := newServer(o, eng)
	if ready != nil {
		ready(ln.Addr().String())
	}
	return s.serve(ctx, ln)
}
