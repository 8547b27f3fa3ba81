package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/app/lab"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// drill is one run.
type drill struct {
	options
	cfg           config.Config
	environment   []string
	before, after version

	on       *harness.Environment
	balancer harness.Balancer
	people   *people
	fleet    []*member // as they started
	replaced int
}

// member is a place in the fleet: its roles, and the program that has them now.
type member struct {
	name, roles string
	now         *harness.Program
	times       int // how many programs it had
}

// The world is small: the drill is about versions.
const users, posts, events = 2000, 8000, 50_000

func run(ctx context.Context, o options) (err error) {
	d := &drill{options: o}
	if d.before, d.after, err = build(ctx, o); err != nil {
		return err
	}
	servers, err := embedded.Start(ctx, embedded.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, servers.Stop(context.WithoutCancel(ctx))) }()
	d.point(servers.Addresses())
	pool, err := postgres.NewPool(ctx, d.cfg.Postgres)
	if err != nil {
		return err
	}
	defer pool.Close()
	client := clickhouse.New(d.cfg.ClickHouse, prometheus.NewRegistry())
	defer client.Close()
	d.people = &people{
		through: &d.balancer, before: d.before.name, app: pool, token: d.tokens(),
		users: users, posts: posts,
	}
	_, err = harness.Measure(ctx, harness.Bench{Name: "upgrade", Run: d.replaceAll}, harness.Target{
		Postgres: pool, ClickHouse: client, Logs: o.dir, Out: os.Stdout,
		Feedrank: func(args ...string) *exec.Cmd { return d.command(d.before, args...) },
	})
	return err
}

// point makes the settings of every program on these servers.
func (d *drill) point(at embedded.Addresses) {
	d.cfg = lab.OnEmbedded(config.Default(), at)
	d.cfg.Auth.HS256Secret = rand.Text() + rand.Text()
	set := map[string]string{
		"AUTH__HS256_SECRET": d.cfg.Auth.HS256Secret, "FEED__CURSOR_SECRETS": rand.Text() + rand.Text(),
		"CLICKHOUSE__ADDRS": d.cfg.ClickHouse.Addrs[0], "CLICKHOUSE__USER": d.cfg.ClickHouse.User,
		"CLICKHOUSE__PASSWORD": d.cfg.ClickHouse.Password, "POSTGRES__DSN": d.cfg.Postgres.DSN,
		"KAFKA__BROKERS": d.cfg.Kafka.Brokers[0], "KAFKA__REPLICATION_FACTOR": "1",
		"REDIS__ADDRS": d.cfg.Redis.Addrs[0], "REDIS__DISABLE_CACHE": "true",
		"RATE_LIMIT__USER_PER_MINUTE": "0", "RATE_LIMIT__ADDRESS_PER_MINUTE": "0", // one address is everybody
		"HTTP__DRAIN_DELAY": harness.DrainFor.String(),
	}
	for key, value := range set {
		d.environment = append(d.environment, "FEEDRANK_"+key+"="+value)
	}
}

// tokens signs each user's once.
func (d *drill) tokens() func(core.ID) (string, error) {
	all := make([]string, users+1)
	var failed error
	for user := core.ID(1); user <= users; user++ {
		text, err := auth.Sign(d.cfg.Auth, user, false, time.Hour, time.Now())
		failed = errors.Join(failed, err)
		all[user] = text
	}
	return func(user core.ID) (string, error) { return all[user], failed }
}

func (d *drill) command(v version, args ...string) *exec.Cmd {
	cmd := exec.Command(v.program, args...)
	cmd.Env = append(os.Environ(), d.environment...)
	return cmd
}

// replaceAll is the drill. Each stage has its share of the requests.
func (d *drill) replaceAll(ctx context.Context, on *harness.Environment) error {
	d.on = on
	began := time.Now()
	for _, args := range [][]string{
		{"migrate"},
		{
			"seed", "--create-schema", "--users", strconv.Itoa(users), "--posts", strconv.Itoa(posts),
			"--events", strconv.Itoa(events),
		},
	} {
		if _, err := outputOf(d.command(d.before, args...)); err != nil {
			return err
		}
	}
	for _, m := range []*member{
		{name: "cdc", roles: "cdc-source,cdc-consumer"},
		{name: "events", roles: "events-consumer"},
		{name: "jobs", roles: "jobs"},
		{name: "api-a", roles: "api"},
		{name: "api-b", roles: "api"},
	} {
		d.fleet = append(d.fleet, m)
		if err := d.replace(ctx, d.before, m); err != nil {
			return err
		}
	}
	d.replaced = 0
	if err := d.underLoad(ctx); err != nil {
		return err
	}
	return d.verify(ctx, began)
}

func (d *drill) underLoad(ctx context.Context) error {
	living, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go d.balancer.Watch(living)
	go func() { ended <- d.people.live(living) }()
	err := d.stages(ctx)
	stop()
	return errors.Join(err, <-ended)
}

func (d *drill) stages(ctx context.Context) error {
	// Before the migration, after it, after each of five replicas, after three were rolled back, after three again.
	const stages = 2 + 5 + 3 + 3
	share := int64(d.requests/stages + 1)
	if err := d.served(ctx, share); err != nil {
		return err
	}
	said, err := outputOf(d.command(d.after, "migrate"))
	if err != nil {
		return err
	}
	d.on.Tell("migrated by %s:\n%s", d.after.name, said)
	if d.plant != "" {
		planted := clickhouse.Query{Name: "plant", Query: ch.Query{Body: d.plant}}
		if err := d.on.ClickHouse.Write(ctx, planted); err != nil {
			return err
		}
	}
	if err := d.served(ctx, share); err != nil {
		return err
	}
	back := []*member{d.fleet[0], d.fleet[1], d.fleet[3]} // changes, events, one of the API
	for _, step := range []struct {
		to  version
		all []*member
	}{{d.after, d.fleet}, {d.before, back}, {d.after, back}} {
		for _, m := range step.all {
			if err := d.replace(ctx, step.to, m); err != nil {
				return err
			}
			if err := d.served(ctx, share); err != nil {
				return err
			}
		}
	}
	return nil
}

// replace starts a program of a version and, once it is ready, stops the one that had its place with SIGTERM.
func (d *drill) replace(ctx context.Context, to version, m *member) error {
	d.on.Feedrank = func(args ...string) *exec.Cmd { return d.command(to, args...) }
	m.times++
	fresh, err := d.on.Serve(ctx, fmt.Sprintf("%s-%d-%s", m.name, m.times, to.name), m.roles)
	if err != nil {
		return err
	}
	old := m.now
	m.now = fresh
	if m.roles == "api" {
		d.balancer.Add(ctx, fresh, to.name)
	}
	if old == nil {
		return nil
	}
	d.replaced++
	err = old.Stop()
	d.balancer.Remove(old)
	return err
}

// served waits until some more requests were sent.
func (d *drill) served(ctx context.Context, more int64) error {
	for until := d.people.requests.Load() + more; d.people.requests.Load() < until; {
		if err := worker.Pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
