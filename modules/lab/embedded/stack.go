package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/lab/embedded/postgres"
	"github.com/feedrank/feedrank/modules/lab/embedded/stackdir"
)

// Stack is a set of servers in one directory. A server that was not asked for is
// nil.
type Stack struct {
	ClickHouse, Postgres, Kafka, Redis *Server
	// Nodes are all of ClickHouse, the one above first.
	Nodes []*Server

	dir       string
	temporary bool
	lock      *os.File
	addresses Addresses
}

// Start starts the servers, all at the same time, and returns when all of them
// serve. If one does not, none is left running. ctx bounds the start only.
func Start(ctx context.Context, opts Options) (_ *Stack, err error) {
	names, err := opts.selected()
	if err == nil {
		err = opts.nodes()
	}
	if err != nil {
		return nil, err
	}
	if opts.Logger == nil {
		opts.Logger = zap.NewNop()
	}
	if opts.Dir == "" {
		if err := sweep(ctx, os.TempDir()); err != nil {
			opts.Logger.Warn("remove what killed temporary stacks have left", zap.Error(err))
		}
	}
	s, err := open(ctx, opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("embedded servers: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}
	}()

	if err := s.prepare(ctx, names, opts); err != nil {
		return nil, err
	}
	starts, startCtx := errgroup.WithContext(ctx)
	for _, server := range s.Servers() {
		starts.Go(func() error { return server.Start(startCtx) })
	}
	if err := starts.Wait(); err != nil {
		return nil, err
	}
	for _, server := range s.Servers() {
		s.addresses.put(server.options)
	}
	return s, nil
}

// prepare makes the servers without starting them.
func (s *Stack) prepare(ctx context.Context, names []string, opts Options) error {
	for _, name := range names {
		if name != ClickHouse {
			*s.slot(name) = &Server{
				name: name, dir: filepath.Join(s.dir, name),
				logPath: filepath.Join(s.dir, name+".log"),
			}
			continue
		}
		nodes, err := newCluster(ctx, s.dir, opts)
		if err != nil {
			return err
		}
		s.ClickHouse, s.Nodes = nodes[0], nodes
	}
	for _, server := range s.Servers() {
		server.opts, server.lock, server.logger = opts, s.lock, opts.Logger
	}
	return nil
}

// open makes and locks the directory.
func open(ctx context.Context, dir string) (*Stack, error) {
	s := &Stack{dir: dir}
	var err error
	if dir == "" {
		s.temporary = true
		s.dir, err = os.MkdirTemp("", temporaryPrefix)
		if err == nil {
			err = os.Chmod(s.dir, 0o711) // PostgreSQL's user must pass through
		}
	} else {
		s.dir, err = filepath.Abs(dir)
		if err == nil {
			err = os.MkdirAll(s.dir, 0o711)
		}
	}
	if err != nil {
		return nil, err
	}
	s.lock, err = stackdir.Lock(ctx, s.dir)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Attach returns a stack whose servers another process runs, at the addresses
// that it printed. Its servers can be used, not changed.
func Attach(addresses Addresses) *Stack {
	s := &Stack{addresses: addresses}
	if a := addresses.ClickHouse; a != nil {
		s.ClickHouse = &Server{name: ClickHouse, addr: a.Addr}
		s.Nodes = []*Server{s.ClickHouse}
		for _, node := range a.Nodes[min(1, len(a.Nodes)):] {
			s.Nodes = append(s.Nodes, &Server{name: ClickHouse, addr: node.Addr})
		}
	}
	if a := addresses.Postgres; a != nil {
		s.Postgres = &Server{name: Postgres, addr: postgres.AddrOf(a.DSN)}
	}
	if a := addresses.Kafka; a != nil && len(a.Brokers) > 0 {
		s.Kafka = &Server{name: Kafka, addr: a.Brokers[0]}
	}
	if a := addresses.Redis; a != nil {
		s.Redis = &Server{name: Redis, addr: a.Addr}
	}
	return s
}

// Addresses of the servers. They hold for the life of the stack, and for later
// ones in the same directory.
func (s *Stack) Addresses() Addresses { return s.addresses }

// Dir is where the servers store.
func (s *Stack) Dir() string { return s.dir }

// Servers lists those that were asked for, each node of ClickHouse as one.
func (s *Stack) Servers() []*Server {
	var servers []*Server
	servers = append(servers, s.Nodes...)
	for _, name := range Names()[1:] {
		if server := *s.slot(name); server != nil {
			servers = append(servers, server)
		}
	}
	return servers
}

func (s *Stack) slot(name string) **Server {
	switch name {
	case ClickHouse:
		return &s.ClickHouse
	case Postgres:
		return &s.Postgres
	case Kafka:
		return &s.Kafka
	default:
		return &s.Redis
	}
}

// Stop ends all servers, all at the same time and in good order, and frees the
// directory; a temporary one it removes. An attached stack is left alone.
func (s *Stack) Stop(ctx context.Context) error {
	if s.lock == nil {
		return nil
	}
	var stops errgroup.Group
	errs := make([]error, len(s.Servers()))
	for i, server := range s.Servers() {
		stops.Go(func() error {
			errs[i] = server.Stop(ctx)
			return nil
		})
	}
	_ = stops.Wait() // each says its own
	if s.temporary {
		// PostgreSQL may live elsewhere, and may still be ending if its supervisor
		// was killed.
		errs = append(errs, postgres.Remove(ctx, filepath.Join(s.dir, Postgres)), os.RemoveAll(s.dir))
	}
	errs = append(errs, s.lock.Close())
	s.lock = nil
	return errors.Join(errs...)
}
