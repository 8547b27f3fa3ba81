//go:build linux

package servers

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/proc"
)

// newKafka plans one broker that is its own KRaft controller.
func newKafka(ctx context.Context, dir, jars string) (*server, error) {
	addr, err := choosePort(ctx, dir, "port")
	if err != nil {
		return nil, err
	}
	controller, err := choosePort(ctx, dir, "controller")
	if err != nil {
		return nil, err
	}
	return planKafka(kafkaNode{
		name: "kafka", dir: dir, jars: jars, addr: addr, replicas: 1, id: newClusterID(), settings: []string{
			"process.roles=broker,controller",
			"node.id=1",
			"controller.quorum.voters=1@" + controller,
			"listeners=PLAINTEXT://" + addr + ",CONTROLLER://" + controller,
			"advertised.listeners=PLAINTEXT://" + addr,
		},
	})
}

// kafkaNode is what differs between the nodes of a cluster.
type kafkaNode struct {
	name, dir, jars, addr string
	id                    string // of the cluster
	replicas              int    // of Kafka's own topics
	settings              []string
}

func planKafka(n kafkaNode) (*server, error) {
	properties, data := filepath.Join(n.dir, "server.properties"), filepath.Join(n.dir, "data")
	own, most := fmt.Sprint(n.replicas), fmt.Sprint(n.replicas/2+1)
	err := writeProperties(properties, append([]string{
		"controller.listener.names=CONTROLLER",
		"log.dirs=" + data,
		"auto.create.topics.enable=false",
		"group.initial.rebalance.delay.ms=0",
		"group.min.session.timeout.ms=1000",
		// A broker that was killed may register again only when its last session has expired.
		"broker.session.timeout.ms=2000",
		"broker.heartbeat.interval.ms=500",
		"replica.lag.time.max.ms=3000",
		"offsets.topic.replication.factor=" + own,
		"offsets.topic.num.partitions=1",
		"transaction.state.log.replication.factor=" + own,
		"transaction.state.log.min.isr=" + most,
		"transaction.state.log.num.partitions=1",
		"share.coordinator.state.topic.replication.factor=" + own,
		"share.coordinator.state.topic.min.isr=" + most,
	}, n.settings...)...)
	if err != nil {
		return nil, err
	}
	cfg := kafka.DefaultConfig()
	cfg.Brokers = []string{n.addr}
	return &server{plan: plan{
		name: n.name, addr: n.addr, dir: n.dir,
		prepare: func(ctx context.Context) error { return format(ctx, n.jars, n.dir, data, properties, n.id) },
		command: func() *exec.Cmd { return java(n.jars, n.dir, "512m", "kafka.Kafka", properties) },
		serving: func(ctx context.Context) error {
			if err := cfg.Ping(ctx); err != nil {
				return err
			}
			_, err := kafka.EnsureTopics(cfg, nil, true) // a listening broker may not be registered yet
			return err
		},
		stop: syscall.SIGTERM, whenOrphaned: syscall.SIGKILL,
	}}, nil
}

func newClusterID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	return base64.RawURLEncoding.EncodeToString(id)
}

// format makes the broker's storage, once.
func format(ctx context.Context, jars, dir, data, properties, id string) error {
	if _, err := os.Stat(filepath.Join(data, "meta.properties")); err == nil {
		return nil
	}
	// One word: an id may begin with a dash, which would be read as an option of its own.
	cmd := java(jars, dir, "128m", "kafka.tools.StorageTool", "format", "--ignore-formatted",
		"--cluster-id="+id, "-c", properties)
	if err := run(ctx, cmd); err != nil {
		return fmt.Errorf("format kafka's storage: %w", err)
	}
	return nil
}

// run runs a command to its end, which also comes with ctx.
func run(ctx context.Context, cmd *exec.Cmd) error {
	out, err := os.CreateTemp("", "feedrank-real-output-")
	if err != nil {
		return err
	}
	defer func() { _ = errors.Join(out.Close(), os.Remove(out.Name())) }()
	cmd.Stdout, cmd.Stderr = out, out
	p, err := proc.Start(cmd, syscall.SIGKILL)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		err := errors.Join(context.Cause(ctx), proc.KillTree(p.PID()))
		<-p.Done()
		return err
	}
	if err := p.Err(); err != nil {
		text, _ := os.ReadFile(out.Name()) // what there is
		return fmt.Errorf("%s: %w: %s", cmd.Path, err, text)
	}
	return nil
}
