// Package clickhouse serves the real ClickHouse engine, loaded from libchdb, behind ClickHouse's native TCP protocol.
//
// It is what `feedrank dev` and the tests run instead of an installed server. A client cannot tell the difference for
// anything this project uses: the statements, the types, the error codes and the durability are the engine's own. Only
// the protocol around them is written here.
//
// The engine is a process-wide singleton of C++ threads and memory, so Run is meant for a process of its own, one that can
// be killed and started again on the same data directory.
package clickhouse

import (
	"time"

	"go.uber.org/zap"
)

// Options say where the server listens, where its data is, and who may connect.
type Options struct {
	// Addr is the address to listen on; port 0 takes a free one. Default 127.0.0.1:0.
	Addr string
	// DataDir holds everything the engine writes. It is created if missing, and only one process may have it open.
	DataDir string
	// Library is the path of libchdb. Empty: see FindLibrary.
	Library string
	// User and Password are what a client must present. Default user: default, without a password.
	User     string
	Password string
	// Database is created if missing and is current for clients that name none. Default: default.
	Database string

	// MemoryLimit bounds the engine's memory in bytes; a query beyond it fails with code 241. Default 4 GiB.
	MemoryLimit int64
	// MaxConnections bounds the clients connected at once; one more is turned away with code 202. Default 1024.
	MaxConnections int
	// MaxQueries bounds the engine calls in progress at once; others wait their turn. Default 32.
	MaxQueries int
	// DrainTimeout is how long running queries may take to end when the server stops. Default 10 s.
	DrainTimeout time.Duration
	// Logger gets what an operator should know. Default: nothing is logged.
	Logger *zap.Logger
}

func (o Options) withDefaults() Options {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.User == "" {
		o.User = "default"
	}
	if o.Database == "" {
		o.Database = "default"
	}
	if o.MemoryLimit <= 0 {
		o.MemoryLimit = 4 << 30
	}
	if o.MaxConnections <= 0 {
		o.MaxConnections = 1024
	}
	if o.MaxQueries <= 0 {
		o.MaxQueries = 32
	}
	if o.DrainTimeout <= 0 {
		o.DrainTimeout = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return o
}
