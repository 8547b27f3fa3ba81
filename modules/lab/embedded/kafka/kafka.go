// Package kafka runs kfake, a Kafka broker in pure Go, as the embedded Kafka.
package kafka

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Options say where the one broker listens and stores.
type Options struct {
	Addr    string // 127.0.0.1:port; port 0 picks one
	DataDir string // topics, records, groups and producer ids; made if missing
}

// Run serves until ctx ends. It calls ready once, with the address it serves.
//
// What a client saw acknowledged is in a file, though not yet synced to the
// disk: it survives SIGKILL, not a power cut. A group's first rebalance is over
// as soon as every member has joined; there is no initial delay. Topics are
// made only by a CreateTopics request.
func Run(ctx context.Context, opts Options, ready func(addr string)) error {
	host, portText, err := net.SplitHostPort(opts.Addr)
	if err != nil {
		return fmt.Errorf("kafka address %q: %w", opts.Addr, err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil || host != "127.0.0.1" {
		return fmt.Errorf("kafka address %q: must be 127.0.0.1 and a port", opts.Addr)
	}
	cluster, err := kfake.NewCluster(
		kfake.Ports(port),
		kfake.ClusterID("feedrank-embedded"),
		kfake.DataDir(opts.DataDir),
		// Brokers ask for 6 s; a shorter one lets tests see a dead consumer's
		// partitions move soon.
		kfake.GroupMinSessionTimeout(time.Second),
		kfake.WithLogger(kfake.BasicLogger(os.Stderr, kfake.LogLevelWarn)),
	)
	if err != nil {
		return fmt.Errorf("kafka on %s with data in %s: %w", opts.Addr, opts.DataDir, err)
	}
	defer cluster.Close()
	members := newAbsent(cluster)
	addr := cluster.ListenAddrs()[0]
	ready(addr)
	members.watch(ctx, addr)
	return nil
}
