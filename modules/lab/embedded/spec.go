package embedded

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/feedrank/feedrank/modules/lab/embedded/binaries"
	"github.com/feedrank/feedrank/modules/lab/embedded/clickhouse"
	"github.com/feedrank/feedrank/modules/lab/embedded/kafka"
	"github.com/feedrank/feedrank/modules/lab/embedded/postgres"
	"github.com/feedrank/feedrank/modules/lab/embedded/redis"
	"github.com/feedrank/feedrank/modules/lab/embedded/stackdir"
)

const (
	userName           = "feedrank"
	postgresDatabase   = "feedrank_app"
	clickhouseDatabase = "feedrank"
	clickhouseAdmin    = "admin" // feedrank is one of those who are granted what they need
)

// childOptions makes the options of the server, which serves on addr.
func (s *Server) childOptions(ctx context.Context, addr string) (any, error) {
	data := filepath.Join(s.dir, "data")
	switch s.name {
	case ClickHouse:
		return s.clickhouseOptions(ctx, addr, data)
	case Postgres:
		pkg, err := binaries.Postgres(s.opts.Servers)
		if err != nil {
			return nil, err
		}
		password, err := stackdir.ChoosePassword(s.dir)
		return postgres.Options{
			Addr: addr, DataDir: s.dir, Package: pkg,
			User: userName, Password: password, Database: postgresDatabase,
		}, err
	case Kafka:
		return kafka.Options{Addr: addr, DataDir: data}, nil
	case Redis:
		return redis.Options{Addr: addr}, nil
	default:
		return nil, fmt.Errorf("%w %q", ErrUnknownServer, s.name)
	}
}

func (s *Server) clickhouseOptions(ctx context.Context, addr, data string) (any, error) {
	pkg, err := binaries.ClickHouse(s.opts.Servers)
	if err != nil {
		return nil, err
	}
	if err := clickhouse.EnoughMemory("/"); err != nil {
		return nil, err
	}
	password, err := stackdir.ChoosePassword(s.cluster.dir)
	if err != nil {
		return nil, err
	}
	users, err := clickhouse.ParseUsers(s.opts.ClickHouseGrants,
		func(name string) string { return derivePassword(password, name) })
	if err != nil {
		return nil, err
	}
	http, _, err := stackdir.ChoosePort(ctx, filepath.Join(s.dir, "http_port"))
	return clickhouse.Options{
		Addr: addr, HTTPAddr: http, DataDir: data, Library: filepath.Join(pkg, "libchdb.so"),
		User: clickhouseAdmin, Password: password, Users: users, Database: clickhouseDatabase,
		Cluster: s.cluster.of(password), Profile: s.opts.ClickHouseProfile, Timezone: s.opts.ClickHouseTimezone,
	}, err
}

// derivePassword makes one user's password of the administrator's, which it does not tell.
func derivePassword(password, name string) string {
	sum := hmac.New(sha256.New, []byte(password))
	sum.Write([]byte(name))
	return hex.EncodeToString(sum.Sum(nil)[:13])
}

// put notes where a server is that was started with options.
func (a *Addresses) put(options any) {
	switch o := options.(type) {
	case clickhouse.Options:
		if a.ClickHouse != nil { // another node
			a.ClickHouse.put(o)
			return
		}
		a.ClickHouse = &ClickHouseAddress{
			Addr: o.Addr, HTTP: o.HTTPAddr, User: o.User, Password: o.Password,
			Database: o.Database,
		}
		for _, user := range o.Users {
			a.ClickHouse.Users = append(a.ClickHouse.Users, ClickHouseUser{Name: user.Name, Password: user.Password})
		}
		a.ClickHouse.put(o)
	case postgres.Options:
		a.Postgres = &PostgresAddress{DSN: o.DSN()}
	case kafka.Options:
		a.Kafka = &KafkaAddress{Brokers: []string{o.Addr}}
	case redis.Options:
		a.Redis = &RedisAddress{Addr: o.Addr}
	}
}

// put notes a node of the cluster.
func (a *ClickHouseAddress) put(o clickhouse.Options) {
	if o.Cluster == nil {
		a.Nodes = []ClickHouseNode{{Addr: o.Addr, HTTP: o.HTTPAddr, Shard: 1, Replica: 1}}
		return
	}
	for i, shard := range o.Cluster.Shards {
		if j := slices.Index(shard, o.Addr); j >= 0 {
			a.Nodes = append(a.Nodes, ClickHouseNode{Addr: o.Addr, HTTP: o.HTTPAddr, Shard: i + 1, Replica: j + 1})
		}
	}
}
