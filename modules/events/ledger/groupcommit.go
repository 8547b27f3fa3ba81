package ledger

import (
	"context"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/tracing"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// writer is what the partitions of one process share to write: what several of them insert at the same
// time goes in one statement. A statement and the parts that it makes cost the server the same whether
// they hold ten rows or a thousand.
type writer struct {
	rows   *groupCommit[*columns]
	ranges *groupCommit[*rangeColumns]
}

func newWriter(client *clickhouse.Client, clock core.Clock, mostRows int, timeout time.Duration) *writer {
	return &writer{
		rows:   newGroupCommit(client, clock, "events", "event_insert", mostRows, timeout, newColumns),
		ranges: newGroupCommit(client, clock, "event_ranges", "event_range", mostRows, timeout, newRangeColumns),
	}
}

// block is rows as ClickHouse takes them.
type block interface {
	reset()
	input() proto.Input
}

// groupCommit inserts into one table. One statement is under way at a time; who comes meanwhile goes
// together in the next one: the busier the server is, the fewer statements it gets. A failure is
// everybody's: each looks up for itself what became of its rows, and tries again alone.
type groupCommit[B block] struct {
	client      *clickhouse.Client
	table, name string
	most        int // rows in a statement; a quarter of that needs no company
	timeout     time.Duration
	blocks      sync.Pool
	turn        chan struct{} // holds a token while a statement is under way
	rest        *worker.Rest

	mu      sync.Mutex
	waiting []*share[B]
}

// share is what one partition inserts.
type share[B block] struct {
	of    context.Context // of whoever waits for it
	fence Fence
	rows  int
	fill  func(B)
	done  chan error
}

func newGroupCommit[B block](client *clickhouse.Client, clock core.Clock, table, name string, most int,
	timeout time.Duration, empty func() B,
) *groupCommit[B] {
	return &groupCommit[B]{
		client: client, table: table, name: name, most: most, timeout: timeout,
		blocks: sync.Pool{New: func() any { return empty() }}, turn: make(chan struct{}, 1),
		rest: worker.NewRest(clock, restTimes, maxRest),
	}
}

// insert returns when the rows are in, or when it is not known whether they are. fill is called before
// that, by whoever sends the rows.
func (g *groupCommit[B]) insert(ctx context.Context, f Fence, rows int, alone bool, fill func(B)) error {
	s := &share[B]{of: ctx, fence: f, rows: rows, fill: fill, done: make(chan error, 1)}
	if alone || rows >= g.most/4 {
		return g.send(ctx, []*share[B]{s})
	}
	g.mu.Lock()
	g.waiting = append(g.waiting, s)
	g.mu.Unlock()
	for {
		select {
		case err := <-s.done:
			return err
		case g.turn <- struct{}{}:
			_ = worker.Pause(ctx, linger)
			if all := g.take(); len(all) > 0 {
				watch := core.StartStopwatch()
				err := g.send(ctx, all)
				g.rest.Begin(watch.Elapsed())
				for _, each := range all {
					each.done <- err
				}
			}
			<-g.turn
		}
	}
}

// A shared statement is followed by a rest of so many times what it took: under a steady flow of events,
// statements take a tenth of the time, and a busy server, which is slower, gets fewer of them. What comes
// after a rest waits for none; what fills a statement by itself takes none.
const (
	restTimes = 9
	maxRest   = 200 * time.Millisecond
)

// linger is how long a statement waits for company: batches are due at the same time, but none is ready
// at the very same moment.
const linger = 3 * time.Millisecond

// take removes those who are waiting, in their order, as many as fit.
func (g *groupCommit[B]) take() []*share[B] {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, rows := 0, 0
	for n < len(g.waiting) && (n == 0 || rows+g.waiting[n].rows <= g.most) {
		rows += g.waiting[n].rows
		n++
	}
	all := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	return all
}

func (g *groupCommit[B]) send(ctx context.Context, all []*share[B]) error {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	for _, s := range all { // a statement is in one trace: whose it is, or that of company
		if !tracing.On(ctx) {
			ctx = tracing.Follow(ctx, s.of)
		}
	}
	b := g.blocks.Get().(B) // the pool has nothing else
	defer g.blocks.Put(b)
	b.reset()
	fences := make([]Fence, len(all))
	for i, s := range all {
		s.fill(b)
		fences[i] = s.fence
	}
	input := b.input()
	return g.client.Write(ctx, clickhouse.Query{Name: g.name, Query: ch.Query{
		Body: input.Into(g.table), Input: input, Settings: writing(g.client.Database(), g.timeout, fences...),
	}})
}
