//go:build linux

package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// KafkaCluster is some brokers, and a controller of their own that nobody kills: so brokers can die until fewer are
// left than an acknowledgement takes, and it is still noticed who they are.
type KafkaCluster struct {
	Brokers    []Server
	controller *server
}

// StartKafkaCluster starts so many brokers. All that they store is in dir, in a folder for each, broker-1 being the
// first. The caller stops it.
func StartKafkaCluster(ctx context.Context, dir string, brokers int) (*KafkaCluster, error) {
	jars, err := parts()
	if err != nil {
		return nil, err
	}
	id, voter := newClusterID(), ""
	node := func(name string, number int) (*server, error) {
		folder := filepath.Join(dir, name)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
		addr, err := choosePort(ctx, folder, "port")
		if err != nil {
			return nil, err
		}
		n := kafkaNode{name: name, dir: folder, jars: jars, addr: addr, id: id, replicas: brokers}
		if voter == "" {
			voter = fmt.Sprintf("%d@%s", number, addr)
			n.settings = []string{"process.roles=controller", "listeners=CONTROLLER://" + addr}
		} else {
			n.settings = []string{
				"process.roles=broker", "listeners=PLAINTEXT://" + addr, "advertised.listeners=PLAINTEXT://" + addr,
			}
		}
		n.settings = append(n.settings, fmt.Sprintf("node.id=%d", number), "controller.quorum.voters="+voter)
		return planKafka(n)
	}
	c := &KafkaCluster{}
	if c.controller, err = node("controller", 100); err != nil {
		return nil, err
	}
	c.controller.serving = listening(c.controller.addr)
	for i := range brokers {
		broker, err := node(fmt.Sprintf("broker-%d", i+1), i+1)
		if err != nil {
			return nil, err
		}
		c.Brokers = append(c.Brokers, broker)
	}
	starts, startCtx := errgroup.WithContext(ctx)
	for _, s := range append([]Server{c.controller}, c.Brokers...) {
		starts.Go(func() error { return s.Start(startCtx) })
	}
	if err := starts.Wait(); err != nil {
		return nil, errors.Join(err, c.Stop(context.WithoutCancel(ctx)))
	}
	return c, nil
}

// listening tells whether somebody listens at an address.
func listening(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// Stop ends the brokers, then the controller.
func (c *KafkaCluster) Stop(ctx context.Context) error {
	var stops errgroup.Group
	for _, broker := range c.Brokers {
		stops.Go(func() error { return broker.Stop(ctx) })
	}
	return errors.Join(stops.Wait(), c.controller.Stop(ctx))
}

// Config leads to the brokers.
func (c *KafkaCluster) Config() kafka.Config {
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.ReplicationFactor = nil, int16(len(c.Brokers))
	for _, broker := range c.Brokers {
		cfg.Brokers = append(cfg.Brokers, broker.Addr())
	}
	return cfg
}
