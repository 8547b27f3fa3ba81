package clickhouse

import (
	"errors"
	"time"

	"go.uber.org/zap"
)

// ErrNoLibrary says that libchdb cannot be used.
var ErrNoLibrary = errors.New("the embedded ClickHouse (libchdb) is not available")

// Options say where the server listens, where its data is, and who may connect.
type Options struct {
	Addr     string // of the native protocol, an IPv4 address of the loopback
	HTTPAddr string // empty: no HTTP
	DataDir  string // created if missing; one process at a time
	Library  string // the path of libchdb

	// User and Password are the administrator's.
	User, Password string
	// Users beside it.
	Users []User
	// Database is created if missing.
	Database string
	// Cluster that this node is one of. Nil: none.
	Cluster *Cluster

	// MemoryLimit of the server in bytes; a query beyond it fails with code 241. Default 4 GiB.
	MemoryLimit int64
	// MaxConnections at once; one more is turned away with code 202. Default 1024.
	MaxConnections int
	// MaxQueries at once; others wait for a minute at most. Default 32.
	MaxQueries int
	// DrainTimeout is how long running queries may take to end when the server stops. Default 10 s.
	DrainTimeout time.Duration
	// Logger gets what an operator should know. Default: nothing is logged.
	Logger *zap.Logger `json:"-"`
}

// User is somebody who may log in, with what they are granted: "GRANT SELECT ON feedrank.*".
type User struct {
	Name, Password string
	Grants         []string
}

// Cluster is what all nodes know of each other.
type Cluster struct {
	Name, Secret string
	Shards       [][]string // the addresses of each shard's replicas
}

func (o Options) withDefaults() Options {
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
