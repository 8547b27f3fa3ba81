package embedded

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"
)

// The names of the servers, in the order in which they are listed.
const (
	ClickHouse = "clickhouse"
	Postgres   = "postgres"
	Kafka      = "kafka"
	Redis      = "redis"
)

// Names of all servers.
func Names() []string { return []string{ClickHouse, Postgres, Kafka, Redis} }

// Options of a stack. The zero value runs everything in a temporary directory.
type Options struct {
	// Dir holds all that the servers store. Empty: a temporary one, which Stop
	// removes.
	Dir string
	// Only these servers. Empty: all.
	Only []string
	// Servers is the folder with node_modules, which `make servers` fills. Empty:
	// the environment variable FEEDRANK_SERVERS_DIR, else modules/lab/embedded in the
	// working directory or one above it, else beside the executable.
	Servers string
	// ClickHouseGrants are CREATE USER and GRANT statements: ClickHouse's users beside
	// its administrator. Passwords are made for each stack.
	ClickHouseGrants string
	// ClickHouseNodes is how many ClickHouse servers there are, in one cluster named
	// feedrank. 0: 1.
	ClickHouseNodes int
	// ClickHouseReplicas is how many of them hold the same shard; it divides
	// ClickHouseNodes. 0: 1. What is written to one is not copied to the others:
	// they have no interserver port.
	ClickHouseReplicas int
	// ClickHouseProfile is what ClickHouse sets for everybody, as an operator's default
	// profile would. ClickHouseTimezone is the server's. Empty: UTC.
	ClickHouseProfile  map[string]string
	ClickHouseTimezone string
	// Logger is told about servers that end unasked. Nil: silence.
	Logger *zap.Logger
}

// ErrUnknownServer is returned for a name that is not one of Names.
var ErrUnknownServer = errors.New("unknown server")

// maxNodes bounds what a machine is asked for: a server takes some 300 MB.
const maxNodes = 16

// nodes checks the numbers of ClickHouse's nodes and sets those that are not given.
func (o *Options) nodes() error {
	if o.ClickHouseNodes == 0 {
		o.ClickHouseNodes = 1
	}
	if o.ClickHouseReplicas == 0 {
		o.ClickHouseReplicas = 1
	}
	switch n, r := o.ClickHouseNodes, o.ClickHouseReplicas; {
	case n < 1 || n > maxNodes:
		return fmt.Errorf("%d ClickHouse nodes: want 1 to %d", n, maxNodes)
	case r < 1 || n%r != 0:
		return fmt.Errorf("%d replicas of each shard: want a number that divides the %d ClickHouse nodes", r, n)
	}
	return nil
}

func (o Options) selected() ([]string, error) {
	if len(o.Only) == 0 {
		return Names(), nil
	}
	for _, name := range o.Only {
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("%w %q: the servers are %s", ErrUnknownServer, name, strings.Join(Names(), ", "))
		}
	}
	return slices.DeleteFunc(Names(), func(name string) bool { return !slices.Contains(o.Only, name) }), nil
}

// Addresses of the running servers; those that were not asked for are nil.
type Addresses struct {
	ClickHouse *ClickHouseAddress `json:"clickhouse,omitempty"`
	Postgres   *PostgresAddress   `json:"postgres,omitempty"`
	Kafka      *KafkaAddress      `json:"kafka,omitempty"`
	Redis      *RedisAddress      `json:"redis,omitempty"`
}

// ClickHouseAddress is what a client needs. User is the administrator.
type ClickHouseAddress struct {
	Addr     string `json:"addr"` // of the native protocol
	HTTP     string `json:"http"`
	User     string `json:"user"`
	Password string `json:"password"`
	Database string `json:"database"`
	// Users are those of Options.ClickHouseGrants.
	Users []ClickHouseUser `json:"users,omitempty"`
	// Nodes of the cluster, this one first.
	Nodes []ClickHouseNode `json:"nodes,omitempty"`
}

// ClickHouseNode is one server of the cluster. Users and passwords are the same on all.
type ClickHouseNode struct {
	Addr    string `json:"addr"`
	HTTP    string `json:"http"`
	Shard   int    `json:"shard"`   // from 1
	Replica int    `json:"replica"` // from 1
}

// ClickHouseUser is a user with exactly what was granted to it.
type ClickHouseUser struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// PostgresAddress names the app's database and a superuser.
type PostgresAddress struct {
	DSN string `json:"dsn"`
}

// KafkaAddress lists the one broker.
type KafkaAddress struct {
	Brokers []string `json:"brokers"`
}

// RedisAddress has no password.
type RedisAddress struct {
	Addr string `json:"addr"`
}
