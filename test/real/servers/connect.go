//go:build linux

package servers

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"syscall"
)

// newConnect plans a Kafka Connect worker with Debezium's PostgreSQL connector.
func newConnect(ctx context.Context, dir, jars, broker string) (*server, error) {
	addr, err := choosePort(ctx, dir, "port")
	if err != nil {
		return nil, err
	}
	properties := filepath.Join(dir, "connect.properties")
	err = writeProperties(properties,
		"bootstrap.servers="+broker,
		"group.id=connect",
		"listeners=http://"+addr,
		"rest.advertised.host.name=127.0.0.1",
		"plugin.discovery=service_load",
		"key.converter=org.apache.kafka.connect.json.JsonConverter",
		"value.converter=org.apache.kafka.connect.json.JsonConverter",
		"key.converter.schemas.enable=false",
		"value.converter.schemas.enable=false",
		"config.storage.topic=connect-configs",
		"config.storage.replication.factor=1",
		"offset.storage.topic=connect-offsets",
		"offset.storage.replication.factor=1",
		"offset.storage.partitions=1",
		"offset.flush.interval.ms=1000",
		"status.storage.topic=connect-status",
		"status.storage.replication.factor=1",
		"status.storage.partitions=1",
		// A worker that was killed and is back takes its tasks at once.
		"scheduled.rebalance.max.delay.ms=0",
		"session.timeout.ms=3000",
		"heartbeat.interval.ms=1000",
		"worker.sync.timeout.ms=2000",
	)
	if err != nil {
		return nil, err
	}
	return &server{plan: plan{
		name: "connect", addr: addr, dir: dir,
		prepare: func(context.Context) error { return nil }, // what it stores is in Kafka
		command: func() *exec.Cmd {
			return java(jars, dir, "384m", "org.apache.kafka.connect.cli.ConnectDistributed", properties)
		},
		serving: func(ctx context.Context) error { return healthy(ctx, addr) },
		stop:    syscall.SIGTERM, whenOrphaned: syscall.SIGKILL,
	}}, nil
}

// healthy asks whether the worker has joined its group and read its configuration.
func healthy(ctx context.Context, addr string) (err error) {
	status, body, err := call(ctx, http.MethodGet, "http://"+addr+"/health", nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("connect is not healthy: %d %s", status, body)
	}
	return nil
}
