package embedded

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/feedrank/feedrank/modules/embedded/clickhouse"
	"github.com/feedrank/feedrank/modules/embedded/kafka"
	"github.com/feedrank/feedrank/modules/embedded/postgres"
	"github.com/feedrank/feedrank/modules/embedded/redis"
)

const (
	userName           = "feedrank"
	postgresDatabase   = "feedrank_app"
	clickhouseDatabase = "feedrank"
)

// childOptions makes the options of the server name which stores in dir and
// serves on addr.
func childOptions(name, dir, addr, servers string) (any, error) {
	data := filepath.Join(dir, "data")
	switch name {
	case ClickHouse:
		pkg, err := findPackage(servers, "@chdb", chdbPackages(), "ClickHouse (libchdb)", "clickhouse.addrs")
		if err != nil {
			return nil, err
		}
		password, err := choosePassword(dir)
		return clickhouse.Options{
			Addr: addr, DataDir: data, Library: filepath.Join(pkg, "libchdb.so"),
			User: userName, Password: password, Database: clickhouseDatabase,
		}, err
	case Postgres:
		pkg, err := findPackage(servers, "@embedded-postgres", postgresPackages(), "PostgreSQL", "postgres.dsn")
		if err != nil {
			return nil, err
		}
		password, err := choosePassword(dir)
		return postgres.Options{
			Addr: addr, DataDir: dir, Package: pkg,
			User: userName, Password: password, Database: postgresDatabase,
		}, err
	case Kafka:
		return kafka.Options{Addr: addr, DataDir: data}, nil
	case Redis:
		return redis.Options{Addr: addr}, nil
	default:
		return nil, fmt.Errorf("%w %q", ErrUnknownServer, name)
	}
}

// put notes where a server is that was started with options.
func (a *Addresses) put(options any) {
	switch o := options.(type) {
	case clickhouse.Options:
		a.ClickHouse = &ClickHouseAddress{Addr: o.Addr, User: o.User, Password: o.Password, Database: o.Database}
	case postgres.Options:
		a.Postgres = &PostgresAddress{DSN: o.DSN()}
	case kafka.Options:
		a.Kafka = &KafkaAddress{Brokers: []string{o.Addr}}
	case redis.Options:
		a.Redis = &RedisAddress{Addr: o.Addr}
	}
}

// choosePassword returns the password in dir, made by the first start. Others on
// this machine reach the port, but not the file.
func choosePassword(dir string) (string, error) {
	file := filepath.Join(dir, "password")
	text, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("password: %w", err)
	}
	password := strings.ToLower(rand.Text())
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	return password, nil
}
