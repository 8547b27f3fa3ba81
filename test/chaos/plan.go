package main

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/events/partition"
)

// action is one disturbance, at a step of the protocol.
type action struct {
	kind string
	step partition.Failpoint
}

// The kinds of disturbances. Those of consumers come first; the others are done by the lane of the servers.
const (
	killConsumer   = "consumer"           // SIGKILL at the step
	freezeConsumer = "frozen consumer"    // SIGSTOP at the step, woken after another owner went on
	joinConsumer   = "joining consumer"   // one more joins, and leaves
	killClickHouse = "clickhouse"         // SIGKILL while a consumer stands at the step
	awayClickHouse = "clickhouse away"    // the same, and it does not come back for long
	killInsert     = "clickhouse, insert" // SIGKILL between an insert's raw part and its views
	killKafka      = "kafka"              // SIGKILL while a consumer stands at the step
	flushRedis     = "redis"              // SIGKILL; it comes back empty
)

// counts say how many actions of each kind there are: at each step, or in all.
type counts struct {
	consumer, freeze, clickhouse, kafka int // at each step
	insert, redis, join                 int
}

func steps() []partition.Failpoint {
	return []partition.Failpoint{
		partition.AtAcquire, partition.AtClaimed, partition.AtInFlightEnded, partition.AtPositionLoaded,
		partition.AtReconciled, partition.AtFilled,
		partition.AtSealed, partition.AtDeadLettered, partition.AtInserting, partition.AtInserted,
		partition.AtRangeWritten, partition.AtCommitted,
	}
}

// taking tells whether a step comes only when a partition is taken.
func taking(step partition.Failpoint) bool {
	switch step {
	case partition.AtAcquire, partition.AtClaimed, partition.AtInFlightEnded, partition.AtPositionLoaded,
		partition.AtReconciled, partition.AtFilled:
		return true
	default:
		return false
	}
}

// beforeAnyRange comes first, at the first batch of all: until a partition has its first range, the offset that Kafka
// has committed is all there is, so only then would a commit that precedes the rows lose them.
var beforeAnyRange = action{killConsumer, partition.AtInserting}

// plan makes the actions of both lanes, in a random order.
func plan(seed uint64, c counts) (consumers, servers []action) {
	for _, step := range steps() {
		for kind, n := range map[string]int{killConsumer: c.consumer, freezeConsumer: c.freeze} {
			for range n {
				consumers = append(consumers, action{kind, step})
			}
		}
		for kind, n := range map[string]int{killClickHouse: c.clickhouse, killKafka: c.kafka} {
			for range n {
				servers = append(servers, action{kind, step})
			}
		}
	}
	for range c.insert {
		servers = append(servers, action{killInsert, partition.AtInserting})
	}
	for range c.redis {
		servers = append(servers, action{flushRedis, partition.AtInserted})
	}
	for range c.join {
		consumers = append(consumers, action{joinConsumer, partition.AtClaimed})
	}
	return append([]action{beforeAnyRange}, shuffled(seed, consumers)...), shuffled(seed+1, servers)
}

// shortPlan has a few of each.
func shortPlan() (consumers, servers []action) {
	consumers = []action{
		beforeAnyRange,
		{killConsumer, partition.AtInserted},
		{killConsumer, partition.AtDeadLettered},
		{freezeConsumer, partition.AtInserting},
		{killConsumer, partition.AtReconciled},
		{joinConsumer, partition.AtClaimed},
		{killConsumer, partition.AtRangeWritten},
	}
	servers = []action{
		{killInsert, partition.AtInserting},
		{killKafka, partition.AtSealed},
		{killClickHouse, partition.AtInserted},
		{flushRedis, partition.AtInserted},
		{killInsert, partition.AtInserting},
		{killKafka, partition.AtRangeWritten},
		{killInsert, partition.AtInserting},
		{killClickHouse, partition.AtPositionLoaded},
	}
	return consumers, servers
}

func shuffled(seed uint64, all []action) []action {
	rank := map[string]int{}
	for i := range all { // maps come in any order
		rank[all[i].kind+string(all[i].step)]++
	}
	var sorted []action
	for _, step := range steps() {
		for _, kind := range []string{
			killConsumer, freezeConsumer, joinConsumer, killClickHouse, killInsert, killKafka,
			flushRedis,
		} {
			for range rank[kind+string(step)] {
				sorted = append(sorted, action{kind, step})
			}
		}
	}
	rng := rand.New(rand.NewPCG(seed, 1)) // it must be repeatable
	rng.Shuffle(len(sorted), func(i, j int) { sorted[i], sorted[j] = sorted[j], sorted[i] })
	return sorted
}

// diary keeps what was done when.
type diary struct {
	say func(format string, args ...any)

	mu      sync.Mutex
	began   time.Time
	last    time.Time
	done    int
	caught  time.Duration             // from ClickHouse's return until everything was applied
	ByStep  map[string]map[string]int // kind, step
	moments []moment
}

// moment is a killed consumer, for the time that recovery takes.
type moment struct {
	at        time.Time
	partition int32
}

func newDiary(say func(string, ...any)) *diary {
	return &diary{say: say, began: time.Now(), last: time.Now(), ByStep: map[string]map[string]int{}}
}

func (d *diary) note(a action, h hit, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ByStep[a.kind] == nil {
		d.ByStep[a.kind] = map[string]int{}
	}
	d.ByStep[a.kind][string(a.step)]++
	d.done++
	d.last = time.Now()
	if a.kind == killConsumer {
		d.moments = append(d.moments, moment{at, h.partition})
	}
	d.say("%7.2fs  %-18s at %-14s of partition %d\n", at.Sub(d.began).Seconds(), a.kind, a.step, h.partition)
}

// progress is how many actions are done, and since when.
func (d *diary) progress() (done int, last time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done, d.last
}

func (d *diary) total(kinds ...string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, kind := range kinds {
		for _, k := range d.ByStep[kind] {
			n += k
		}
	}
	return n
}

func (a action) String() string { return fmt.Sprintf("%s at %s", a.kind, a.step) }
