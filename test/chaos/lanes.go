package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// lane is one consumer slot, and the one who disturbs it.
type lane struct {
	*drill
	name string
	rng  *rand.Rand
	p    *process
}

// stepLimit is how long a process may take until it comes to a step; then another try is made.
const stepLimit = 30 * time.Second

// work does actions until there are no more, then leaves a consumer running.
func (l *lane) work(ctx context.Context, queue <-chan action) error {
	for a := range queue {
		for {
			if err := l.caughtUp(ctx, l.records/20); err != nil {
				return fmt.Errorf("before %s: %w", a, err)
			}
			err := l.do(ctx, a)
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return fmt.Errorf("%s: %w", a, err)
			}
			l.diary.say("          %s: %s: again: %v\n", l.name, a, err)
			if l.p != nil {
				if err := l.p.kill(); err != nil {
					return err
				}
			}
		}
	}
	return l.ensure("")
}

// ensure has a process that has the order.
func (l *lane) ensure(order string) (err error) {
	if l.p == nil || !l.p.running() {
		l.p, err = l.spawn(l.name, order)
		return err
	}
	if order == "" {
		return nil
	}
	return l.p.order(order)
}

var errNotReached = errors.New("nobody came to the step")

func (l *lane) do(ctx context.Context, a action) error {
	how, passes := hold, l.rng.IntN(4)
	switch a.kind {
	case killConsumer:
		how = kill
	case freezeConsumer:
		how = freeze
	case joinConsumer:
		return l.join(ctx, a)
	case killInsert:
		how = tell
		if err := l.slowView(ctx); err != nil {
			return err
		}
		defer func() { _ = l.exec(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS a_slow_view") }()
	}
	if done, _ := l.diary.progress(); done == 0 && a == beforeAnyRange {
		passes = 0
	}
	if taking(a.step) {
		passes %= 2
		if l.p != nil {
			if err := l.p.leave(); err != nil {
				return err
			}
		}
	}
	if err := l.ensure(fmt.Sprintln(how, passes, a.step)); err != nil {
		return err
	}
	h, ok := l.p.reached(ctx, stepLimit)
	if !ok {
		return errNotReached
	}
	at := time.Now()
	if err := l.disturb(ctx, a, h); err != nil {
		return err
	}
	l.diary.note(a, h, at)
	return nil
}

func (l *lane) disturb(ctx context.Context, a action, h hit) error {
	switch a.kind {
	case killConsumer:
		select {
		case <-l.p.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	case freezeConsumer:
		return errors.Join(l.othersGoOn(ctx, h.partition), l.p.wake())
	case killClickHouse:
		return l.restart(ctx, l.servers.ClickHouse, true)
	case awayClickHouse:
		return l.longRestart(ctx, l.servers.ClickHouse)
	case killKafka:
		return l.restart(ctx, l.servers.Kafka, true)
	case flushRedis:
		return l.restart(ctx, l.servers.Redis, true)
	case killInsert:
		if err := worker.Pause(ctx, time.Duration(l.rng.IntN(int(slowness))+5)); err != nil {
			return err
		}
		return l.restart(ctx, l.servers.ClickHouse, false)
	default:
		return fmt.Errorf("unknown action %q", a.kind)
	}
}

// restart kills a server and starts it again; held tells whether the consumer waits for us.
func (l *lane) restart(ctx context.Context, s *embedded.Server, held bool) error {
	err := s.Kill()
	if held {
		err = errors.Join(err, l.p.order("go"))
	}
	if l.rng.IntN(2) == 0 { // a longer outage
		err = errors.Join(err, worker.Pause(ctx, time.Duration(l.rng.IntN(int(time.Second)))))
	}
	return errors.Join(err, s.Start(ctx))
}

// longRestart keeps a server away for l.away, and measures how long it takes afterwards until no more waits than comes
// in a second.
func (l *lane) longRestart(ctx context.Context, s *embedded.Server) error {
	if err := errors.Join(s.Kill(), l.p.order("go"), worker.Pause(ctx, l.away), s.Start(ctx)); err != nil {
		return err
	}
	back := time.Now()
	err := l.caughtUp(ctx, l.rate)
	l.diary.caught = time.Since(back)
	return err
}

// join has one more consumer join the group, take partitions and leave.
func (l *lane) join(ctx context.Context, a action) error {
	p, err := l.spawn(l.name+"-guest", fmt.Sprintln(tell, 0, a.step))
	if err != nil {
		return err
	}
	at := time.Now()
	h, ok := p.reached(ctx, stepLimit)
	if err := p.leave(); err != nil {
		return err
	}
	if !ok {
		return errNotReached
	}
	l.diary.note(a, h, at)
	return nil
}

// othersGoOn waits until another owner has applied something of the partition.
func (l *lane) othersGoOn(ctx context.Context, partition int32) error {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	of := fmt.Sprintf("bitShiftRight(fence, 32) = %d", 1<<16|partition)
	held, known := uint64(0), false
	for {
		if !known {
			n, err := l.number(ctx, "SELECT max(fence) AS n FROM partition_owners WHERE "+of)
			held, known = n, err == nil
		} else if n, err := l.number(ctx, fmt.Sprintf("SELECT count() AS n FROM event_ranges WHERE fence > %d AND %s",
			held, of)); err == nil && n > 0 {
			return nil
		}
		if err := worker.Pause(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("nobody went on with partition %d: %w", partition, err)
		}
	}
}

// slowness is how long the slow view takes.
const slowness = 60 * time.Millisecond

// slowView puts a view of somebody else before ours, so that there is time between an insert's raw
// part and our views.
func (l *lane) slowView(ctx context.Context) error {
	return errors.Join(
		l.exec(ctx, "CREATE TABLE IF NOT EXISTS nowhere (n UInt8) ENGINE = Null"),
		l.exec(ctx, fmt.Sprintf("CREATE MATERIALIZED VIEW IF NOT EXISTS a_slow_view TO nowhere AS SELECT sleepEachRow(%.3f) AS n"+
			" FROM (SELECT user_id FROM events LIMIT 1)", slowness.Seconds())),
	)
}

// exec repeats a statement until the server has carried it out.
func (d *drill) exec(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	for {
		err := d.ask(ctx, ch.Query{Body: statement})
		if err == nil {
			return nil
		}
		if waited := worker.Pause(ctx, 100*time.Millisecond); waited != nil {
			return fmt.Errorf("%s: %w", statement, errors.Join(waited, err))
		}
	}
}

// number is what a query of one row and one column n gives.
func (d *drill) number(ctx context.Context, query string) (uint64, error) {
	var n proto.ColUInt64
	err := d.ask(ctx, ch.Query{
		Body:   "SELECT toUInt64(n) AS n FROM (" + query + ")",
		Result: proto.Results{{Name: "n", Data: &n}},
	})
	if err != nil || n.Rows() == 0 {
		return 0, err
	}
	return n.Row(0), nil
}

// ask uses a connection of its own: the server comes and goes.
func (d *drill) ask(ctx context.Context, q ch.Query) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	a := d.servers.Addresses().ClickHouse
	client, err := ch.Dial(ctx, ch.Options{
		Address: a.Addr, User: a.User, Password: a.Password, Database: a.Database,
		DialTimeout: time.Second,
	})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	return client.Do(ctx, q)
}
