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

	User, Password string   // the administrator's
	Users          []User   // beside it
	Database       string   // created if missing
	Cluster        *Cluster // that this node is one of; nil: none

	// Profile is what the server sets for everybody. Timezone is its own; default: UTC.
	Profile  map[string]string
	Timezone string
	Logger   *zap.Logger `json:"-"` // gets what an operator should know
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

// Bounds of the server.
const (
	memoryLimit    = 4 << 30          // bytes; a query beyond it fails with code 241
	maxConnections = 1024             // at once; one more is turned away with code 202
	maxQueries     = 32               // at once; others wait for a minute at most
	drainTimeout   = 10 * time.Second // for running queries to end when the server stops
)
