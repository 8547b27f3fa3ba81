package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

// A Redis that answers reads and refuses writes looks well and keeps nothing: it is full (noeviction), was
// made a replica, or lacks replicas. So it is asked by writing.
const (
	watchEvery  = 500 * time.Millisecond
	probeWithin = time.Second
	probeFor    = 10 * time.Second // how long a written probe stays
	probeKeys   = 64               // of a cluster: enough to meet every master
	// writes in a row before a Redis that had refused one counts as well again: at its limit they alternate
	takenEnough = 3
)

// Ping asks whether Redis answers and takes writes. It waits for an attempt to connect.
func (c *Client) Ping(ctx context.Context) error {
	conn, err := c.connected(ctx)
	if err != nil {
		return err
	}
	err = probe(ctx, conn)
	c.Note(err)
	if err == nil || refusesWrites(err) {
		_, readOnly := c.Conn() // it may take writes again, but not for long enough
		return readOnly
	}
	return err
}

// connected is the connection, also while Redis takes no writes.
func (c *Client) connected(ctx context.Context) (rueidis.Client, error) {
	c.begin()
	c.mu.Lock()
	dialing := c.dialing
	c.mu.Unlock()
	if dialing != nil {
		select {
		case <-dialing:
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.inner != nil:
		return c.inner, nil
	case c.refused != nil:
		return nil, fmt.Errorf("%w: %w", ErrReadOnly, c.refused)
	case c.reason != nil && !c.closed:
		return nil, fmt.Errorf("redis connect: %w", c.reason)
	default:
		return nil, ErrDown
	}
}

// probe writes a key, or one on every node of a cluster.
func probe(ctx context.Context, conn rueidis.Client) error {
	keys := 1
	if conn.Mode() == rueidis.ClientModeCluster {
		keys = probeKeys
	}
	commands := make(rueidis.Commands, keys)
	for i := range commands {
		commands[i] = conn.B().Set().Key("probe:v1:{" + strconv.Itoa(i) + "}").Value("").Px(probeFor).Build()
	}
	for _, result := range conn.DoMulti(ctx, commands...) {
		if err := result.Error(); err != nil {
			return err
		}
	}
	return nil
}

// Note takes notice of how a write ended. Who writes what must not be lost tells at once; the watch does by its probes.
func (c *Client) Note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	moved := false
	if answer, answered := rueidis.IsRedisErr(err); answered {
		_, moved = answer.IsMoved()
	}
	switch {
	case err == nil && c.refused != nil:
		if c.taken++; c.taken >= takenEnough {
			c.refused, c.taken = nil, 0
		}
	case moved: // one address of a cluster, and INFO was not allowed
		c.cluster = true
		c.drop()
	case refusesWrites(err):
		c.refused, c.taken = err, 0
		if strings.HasPrefix(err.Error(), "READONLY") {
			c.drop() // the name may lead to the new master by now
		}
	}
}

// refusals are the first words of a Redis that takes no writes, and a script's failure holds them after a minus sign.
var refusals = []string{"OOM", "READONLY", "MISCONF", "NOREPLICAS"}

func refusesWrites(err error) bool {
	answer, answered := rueidis.IsRedisErr(err)
	return answered && slices.ContainsFunc(refusals, func(word string) bool {
		return strings.HasPrefix(answer.Error(), word+" ") || strings.Contains(answer.Error(), "-"+word+" ")
	})
}

// drop lets go of the connections, so that the next who asks makes new ones. The lock is held.
func (c *Client) drop() {
	if inner := c.inner; inner != nil {
		c.inner = nil
		c.dials.Go(inner.Close)
	}
}

// Away tells whether the watch found Redis to be away or to take no writes.
func (c *Client) Away() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.away
}

// Watch writes probes, and tells when that begins or ceases to work.
func (c *Client) Watch(ctx context.Context, changed func(error)) error {
	well := true
	for {
		bounded, cancel := context.WithTimeout(ctx, probeWithin)
		err := c.Ping(bounded)
		cancel()
		if now := err == nil; now != well && ctx.Err() == nil {
			well = now
			c.mu.Lock()
			c.away = !well
			c.mu.Unlock()
			changed(err)
		}
		if ended := worker.Pause(ctx, watchEvery); ended != nil {
			return nil //nolint:nilerr // it was stopped
		}
	}
}
