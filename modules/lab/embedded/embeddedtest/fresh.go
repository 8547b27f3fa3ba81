package embeddedtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/redis"
)

// setupLimit bounds what is done for a test before and after it.
const setupLimit = time.Minute

// Prefix returns a short prefix that no other test has, for topics, consumer
// groups, replication slots and keys: lower case letters and digits, and a dot.
func Prefix(testing.TB) string { return unique() + "." }

func unique() string { return "t" + strings.ToLower(rand.Text()[:12]) }

// NewDatabase makes an empty PostgreSQL database in the shared stack and returns
// its DSN. It is dropped when the test ends, and with it the replication slots
// and connections that are left.
func NewDatabase(t testing.TB) string {
	t.Helper()
	address := Stack(t).Addresses().Postgres
	if address == nil {
		t.Fatal("this package's TestMain has not asked for PostgreSQL")
	}
	name := unique()
	if err := execute(address.DSN, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := execute(address.DSN,
			// A slot in use cannot be dropped: end its user first, and wait for it.
			"SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE database = '"+name+"' AND active",
			"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '"+name+"'",
			"DROP DATABASE "+name+" WITH (FORCE)")
		if err != nil {
			t.Error(err)
		}
	})
	dsn, err := url.Parse(address.DSN)
	if err != nil {
		t.Fatalf("postgres DSN: %v", err)
	}
	dsn.Path = "/" + name
	return dsn.String()
}

func execute(dsn string, statements ...string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect to postgres: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// NewClickHouseDatabase makes an empty ClickHouse database in the shared stack
// and returns its name. It is dropped when the test ends.
func NewClickHouseDatabase(t testing.TB) string {
	t.Helper()
	address := Stack(t).Addresses().ClickHouse
	if address == nil {
		t.Fatal("this package's TestMain has not asked for ClickHouse")
	}
	name := unique()
	if err := query(address, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := query(address, "DROP DATABASE IF EXISTS "+name+" SYNC"); err != nil {
			t.Error(err)
		}
	})
	return name
}

func query(address *embedded.ClickHouseAddress, statement string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	client, err := ch.Dial(ctx, ch.Options{
		Address: address.Addr, User: address.User, Password: address.Password, Database: address.Database,
	})
	if err != nil {
		return fmt.Errorf("connect to clickhouse: %w", err)
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	if err := client.Do(ctx, ch.Query{Body: statement}); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// NewRedis starts an empty Redis for this test alone, inside the test's own
// process, and returns its address. For tests whose keys would meet those of
// others; it takes no measurable time.
func NewRedis(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	addr := make(chan string, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- redis.Run(ctx, redis.Options{Addr: "127.0.0.1:0"}, func(a string) { addr <- a })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("redis: %v", err)
		}
	})
	select {
	case a := <-addr:
		return a
	case err := <-ended:
		ended <- nil // for the cleanup
		t.Fatalf("redis: %v", err)
		return ""
	}
}
