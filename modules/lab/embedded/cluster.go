package embedded

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/feedrank/feedrank/modules/lab/embedded/clickhouse"
	"github.com/feedrank/feedrank/modules/lab/embedded/stackdir"
)

// clusterName is that of the only cluster.
const clusterName = "feedrank"

// cluster is what ClickHouse's nodes have in common.
type cluster struct {
	dir    string     // of the first node, which has the password of all
	shards [][]string // the addresses of each one's replicas; nil: one node alone
}

// newCluster makes ClickHouse's servers in the folder of the stack. All their ports are chosen before the first one
// starts: each is told of all.
func newCluster(ctx context.Context, folder string, opts Options) ([]*Server, error) {
	c := &cluster{dir: filepath.Join(folder, ClickHouse)}
	var servers []*Server
	for i := range opts.ClickHouseNodes {
		name := ClickHouse
		if i > 0 {
			name = fmt.Sprintf("%s-%d", ClickHouse, i+1)
		}
		server := &Server{
			name: ClickHouse, dir: filepath.Join(folder, name),
			logPath: filepath.Join(folder, name+".log"), cluster: c,
		}
		servers = append(servers, server)
		if opts.ClickHouseNodes == 1 {
			break
		}
		if err := os.MkdirAll(server.dir, 0o711); err != nil {
			return nil, err
		}
		addr, _, err := stackdir.ChoosePort(ctx, filepath.Join(server.dir, "port"))
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", name, err)
		}
		if i%opts.ClickHouseReplicas == 0 {
			c.shards = append(c.shards, nil)
		}
		shard := &c.shards[len(c.shards)-1]
		*shard = append(*shard, addr)
	}
	if len(servers) == 1 {
		return servers, nil
	}
	_, err := stackdir.ChoosePassword(c.dir) // before all read it at once
	return servers, err
}

// of is the cluster for a node; one alone has none.
func (c *cluster) of(password string) *clickhouse.Cluster {
	if c.shards == nil {
		return nil
	}
	return &clickhouse.Cluster{
		Name: clusterName, Secret: derivePassword(password, "interserver secret"),
		Shards: c.shards,
	}
}
