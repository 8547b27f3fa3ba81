package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/deadletter"
	"github.com/feedrank/feedrank/modules/events"
	"github.com/feedrank/feedrank/modules/events/consumer"
	"github.com/feedrank/feedrank/modules/events/partition"
	"github.com/feedrank/feedrank/modules/events/posts"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/feed/viewer"
	"github.com/feedrank/feedrank/modules/keys"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// consumerEnv holds the settings of a process that is to be a consumer.
const consumerEnv = "FEEDRANK_CHAOS_CONSUMER"

// settings of a consumer process, and what it is to do to itself first.
type settings struct {
	Kafka      kafka.Config
	ClickHouse clickhouse.Config
	Redis      redis.Config
	Events     events.Config
	Order      string
	Profile    string // folder; "" is none
}

// consumeIfAsked turns this process into a consumer when the environment says so.
func consumeIfAsked() {
	text := os.Getenv(consumerEnv)
	if text == "" {
		return
	}
	var s settings
	err := json.Unmarshal([]byte(text), &s)
	if err == nil {
		err = consume(s, os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// consume runs the program's own consumer until the orders end.
func consume(s settings, orders io.Reader, reports io.Writer) error {
	stop, err := profiled(s.Profile)
	if err != nil {
		return err
	}
	defer stop()
	log, err := zap.NewProduction()
	if err != nil {
		return err
	}
	reg := prometheus.NewRegistry()
	if s.Profile != "" {
		name := filepath.Join(s.Profile, fmt.Sprintf("consumer-%d.prom", os.Getpid()))
		defer func() { _ = prometheus.WriteToTextfile(name, reg) }() // it is only looked at
	}
	client := clickhouse.New(s.ClickHouse, reg)
	defer client.Close()
	producer := kafka.NewProducer(s.Kafka)
	signals := viewer.NewSignals(store.New(store.DefaultConfig(), redis.New(s.Redis, core.SystemClock{})), reg)
	letters := deadletter.NewPublisher(s.Kafka.Topic(deadletter.DefaultConfig().EventsTopic), "chaos", producer,
		core.SystemClock{}, deadletter.NewMetrics(reg))
	failed := make(chan error, 1)
	failure := worker.FailureFunc(func(_ string, err error) { failed <- err })
	at := &doom{reports: reports, wake: make(chan struct{})}
	at.obey(s.Order)
	consumer := consumer.New(s.Events.Consumer(), s.Kafka, client, letters, core.SystemClock{}, failure, reg, log,
		consumer.WithFailpoints(at), consumer.WithObserver(signals),
		consumer.WithPosts(posts.New(client, core.SystemClock{})), consumer.WithKeys(keys.New(keys.Params{
			Config: keys.DefaultConfig(), ClickHouse: client, Clock: core.SystemClock{}, Registry: reg, Log: log,
		})))
	if err := consumer.Start(context.Background()); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(orders)
		for lines.Scan() {
			at.obey(lines.Text())
		}
	}()
	select {
	case err := <-failed:
		return err
	case <-ended:
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return consumer.Stop(ctx)
}

// What a process does to itself at a step.
const (
	kill   = "kill"   // SIGKILL
	freeze = "freeze" // SIGSTOP; after SIGCONT it goes on when it is told
	hold   = "hold"   // the partition waits until it is told
	tell   = "tell"   // only says so
)

// doom waits for a step and does there what was ordered.
type doom struct {
	reports io.Writer

	mu     sync.Mutex
	how    string
	step   partition.Failpoint
	passes int // of the step before it
	wake   chan struct{}
}

// obey takes a line: "go", or what to do, after how many passes, at which step.
func (d *doom) obey(order string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if order == "go" {
		close(d.wake)
		d.wake = make(chan struct{})
		return
	}
	how, step := "", ""
	if _, err := fmt.Fscan(strings.NewReader(order), &how, &d.passes, &step); err == nil {
		d.how, d.step = how, partition.Failpoint(step)
	}
}

// Reached does what was ordered, if this is where.
func (d *doom) Reached(step partition.Failpoint, id int32) {
	d.mu.Lock()
	if d.how == "" || step != d.step {
		d.mu.Unlock()
		return
	}
	if d.passes > 0 {
		d.passes--
		d.mu.Unlock()
		return
	}
	how, wake := d.how, d.wake
	d.how = ""
	_, _ = fmt.Fprintln(d.reports, "at", step, id) // nobody there: we are about to be killed anyway
	d.mu.Unlock()
	switch how {
	case kill:
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		runtime.Goexit()
	case freeze:
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		<-wake
	case hold:
		<-wake
	}
}
