package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/cdc/consumer"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/deadletter"
	"github.com/feedrank/feedrank/modules/keys"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// workerEnv holds the settings of a process that is to be a source or a consumer.
const workerEnv = "FEEDRANK_CDC_WORKER"

// settings of a worker process.
type settings struct {
	Role       role
	Kafka      kafka.Config
	ClickHouse clickhouse.Config
	Postgres   postgres.Config
	CDC        cdc.Config
}

type role string

const (
	sourceRole   role = "source"
	consumerRole role = "consumer"
)

// What a source prints when it gets the lead and when it loses it.
const (
	leads = "leads"
	rests = "rests"
)

// workIfAsked turns this process into a worker when the environment says so.
func workIfAsked() {
	text := os.Getenv(workerEnv)
	if text == "" {
		return
	}
	var s settings
	err := json.Unmarshal([]byte(text), &s)
	if err == nil {
		err = work(s)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// part is the program's own source or consumer.
type part interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
}

// work runs the part until our input ends, which it also does when whoever started us is dead.
func work(s settings) error {
	log, err := zap.NewProduction()
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	failure := worker.FailureFunc(func(_ string, err error) { failed <- err })
	reg := prometheus.NewRegistry()
	var p part
	switch s.Role {
	case sourceRole:
		p, err = cdc.NewSource(s.CDC, s.Kafka, source.Params{
			Postgres: s.Postgres, Clock: core.SystemClock{}, Log: log, Registerer: reg, Failure: failure,
		})
	case consumerRole:
		p, err = newConsumer(s, log, reg, failure)
	default:
		err = fmt.Errorf("no role %q", s.Role)
	}
	if err != nil {
		return err
	}
	if err := p.Start(context.Background()); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for led := false; ; {
		select {
		case err := <-failed:
			return err
		case <-tick.C:
			if now := leading(reg); now != led {
				led = now
				_, _ = fmt.Fprintln(os.Stdout, map[bool]string{true: leads, false: rests}[now])
			}
		case <-ended:
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			return p.Stop(ctx)
		}
	}
}

func newConsumer(s settings, log *zap.Logger, reg *prometheus.Registry, failure worker.Failure) (part, error) {
	pool, err := postgres.NewPool(context.Background(), s.Postgres)
	if err != nil {
		return nil, err
	}
	queue := deadletter.NewPublisher(s.Kafka.Topic(deadletter.DefaultConfig().CDCTopic), "chaos",
		kafka.NewProducer(s.Kafka), core.SystemClock{}, deadletter.NewMetrics(reg))
	client := clickhouse.New(s.ClickHouse, reg)
	book := keys.New(keys.Params{
		Config: keys.DefaultConfig(), ClickHouse: client, Clock: core.SystemClock{}, Registry: reg, Log: log,
	})
	return cdc.NewConsumer(s.CDC, s.Kafka, consumer.Params{
		ClickHouse: client, Postgres: pool, DeadLetters: queue, Observer: nobody{}, Keys: book,
		Clock: core.SystemClock{}, Log: log, Registerer: reg, Failure: failure,
	})
}

// leading tells whether the source of this process has the lead.
func leading(reg *prometheus.Registry) bool {
	families, err := reg.Gather()
	if err != nil {
		return false
	}
	for _, f := range families {
		if f.GetName() == "feedrank_cdc_source_leader" {
			return f.GetMetric()[0].GetGauge().GetValue() == 1
		}
	}
	return false
}

// nobody is the feed, which is not there.
type nobody struct{}

func (nobody) Changed(context.Context, []core.Change) error { return nil }
