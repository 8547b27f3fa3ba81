package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/feedrank/feedrank/modules/lab/embedded/stackdir"
)

// ErrEnded is returned by RunForeground when a server ended unasked.
var ErrEnded = errors.New("an embedded server ended by itself")

// RunForeground starts the servers and prints their addresses to out once all of
// them serve: with asJSON one line, the JSON of Addresses, else a line for each.
// It then waits until ctx ends, or one of the servers does (but ClickHouse, which is
// started again), and stops them all.
func RunForeground(ctx context.Context, opts Options, asJSON bool, out io.Writer) (err error) {
	stack, err := Start(ctx, opts)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // told to stop before all of them served; Start has stopped them
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Stop(context.WithoutCancel(ctx))) }()

	if err := printAddresses(out, stack.Addresses(), asJSON); err != nil {
		return fmt.Errorf("print the addresses: %w", err)
	}

	var watchers sync.WaitGroup
	defer watchers.Wait()
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan *Server, len(stack.Servers()))
	for _, server := range stack.Servers() {
		if server.supervised() {
			continue // it is started again
		}
		exited := server.Exited()
		watchers.Go(func() {
			select {
			case <-exited:
				ended <- server
			case <-watching.Done():
			}
		})
	}
	select {
	case <-ctx.Done():
		return nil
	case server := <-ended:
		return fmt.Errorf("%w: %s: %s", ErrEnded, server.Name(), stackdir.LogTail(server.LogPath(), 0))
	}
}

func printAddresses(out io.Writer, a Addresses, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(a)
	}
	var text strings.Builder
	if c := a.ClickHouse; c != nil {
		for _, node := range c.Nodes {
			fmt.Fprintf(&text, "clickhouse  %s  http %s  user %s  password %s  database %s\n", node.Addr, node.HTTP,
				c.User, c.Password, c.Database)
		}
	}
	if p := a.Postgres; p != nil {
		fmt.Fprintf(&text, "postgres    %s\n", p.DSN)
	}
	if k := a.Kafka; k != nil {
		fmt.Fprintf(&text, "kafka       %s\n", strings.Join(k.Brokers, ","))
	}
	if r := a.Redis; r != nil {
		fmt.Fprintf(&text, "redis       %s\n", r.Addr)
	}
	_, err := io.WriteString(out, text.String())
	return err
}
