package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Availability breaks each server in each way, in turn, and restarts each role, under a load that does
// not stop. An answer counts only if it is a feed: not empty, and without anything that its viewer must
// not see. Any 5xx of a feed fails the bench.
func Availability() harness.Bench {
	return harness.Bench{
		Name: "availability",
		Says: "feeds while each server is killed, frozen and slowed, and each role is restarted",
		Run: func(ctx context.Context, on *harness.Environment) error {
			d, err := newDrill(ctx, on)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithCancel(ctx)
			var background sync.WaitGroup
			background.Go(func() { d.balancer.Watch(ctx) })
			background.Go(func() { d.feeds.run(ctx) })
			background.Go(func() { d.events.run(ctx) })
			err = d.run(ctx)
			cancel()
			background.Wait()
			return errors.Join(err, d.report())
		},
	}
}

// drill is the program in several processes, what is done to it, and what was seen.
type drill struct {
	*harness.Environment
	balancer *balancer
	workers  map[string]*harness.Program // by role
	feeds    *openLoop
	events   *openLoop
	admin    string // a token
	truth    *oracle
	hold     time.Duration
	seen     []*trial
}

// trial is one fault and what was seen from its beginning until all was well again.
type trial struct {
	*window
	events *window
	// from the fault to the open breaker of that server, in the replica that was looked at; 0: it did not open
	opened time.Duration
	closed time.Duration // from the end of the fault until it was closed
}

// The load. Of the feeds, so many in a hundred are of people whose feed nobody has asked for lately:
// they are computed. It is what the required hit ratio of the cache leaves.
const (
	availabilityRate = 300
	eventRate        = 20
	strangers        = 10
	regulars         = 150
	faultRounds      = 2
)

// workerRoles run as processes of their own, beside two replicas of the api.
var workerRoles = []string{"events-consumer", "cdc-source", "cdc-consumer", "jobs"}

func newDrill(ctx context.Context, on *harness.Environment) (*drill, error) {
	// One machine and a few hundred people: there is no flood to hold off.
	d := &drill{
		Environment: on, workers: map[string]*harness.Program{}, hold: on.Lasting(5 * time.Second),
		balancer: &balancer{on: on, set: []string{"rate_limit.user_per_minute=0", "rate_limit.address_per_minute=0"}},
	}
	if err := withAudiences(ctx, on); err != nil {
		return nil, err
	}
	for _, role := range workerRoles {
		p, err := on.Serve(ctx, role, role)
		if err != nil {
			return nil, err
		}
		d.workers[role] = p
	}
	for range 2 {
		if err := d.balancer.add(ctx); err != nil {
			return nil, err
		}
	}
	var err error
	if d.admin, err = on.Token(1); err != nil {
		return nil, err
	}
	people, err := known(ctx, on, d.balancer.addrs(), regulars)
	if err != nil {
		return nil, err
	}
	d.truth = people.truth
	on.Tell("%d viewers bar 3 authors each and hid a post; %d posts are deleted, %d for a few; %d authors gone or private",
		regulars, len(d.truth.deleted), len(d.truth.posts), len(d.truth.authors))
	var shown atomic.Int64
	d.feeds = &openLoop{
		rate: on.At(availabilityRate), replica: d.balancer.next, visit: people.visit,
		odd: func(wrong string, body []byte) {
			if shown.Add(1) <= 5 {
				on.Tell("wrong: %s: %.600s", wrong, body)
			}
		},
	}
	d.events = &openLoop{rate: eventRate, replica: d.balancer.next, visit: func(n int) visit {
		random := rand.New(rand.NewPCG(5, uint64(n)))
		return visit{
			&harness.Request{
				Method: http.MethodPost, Path: harness.EventsPath, Token: people.feeds[n%len(people.feeds)].Token,
				Body: on.Looked(random),
			},
			func([]byte) (string, string) { return "taken", "" },
		}
	}}
	d.feeds.open("none")
	d.events.open("none")
	return d, nil
}

// visit is the n-th feed that is asked for: of one of those who are here, each tenth of them their
// timeline, or of somebody who comes.
func (v *viewers) visit(n int) visit {
	random := rand.New(rand.NewPCG(7, uint64(n)))
	who := random.IntN(regulars)
	if random.IntN(100) < strangers {
		who = regulars + n%(len(v.feeds)-regulars)
	}
	r := v.feeds[who]
	if n%10 == 9 && who < regulars { // of others it may be empty: they follow nobody who posts
		r.Path += "?algo=timeline"
	}
	return visit{&r, func(body []byte) (string, string) { return v.truth.judge(v.ids[who], body) }}
}

// run goes through all faults and restarts.
func (d *drill) run(ctx context.Context) error {
	if err := d.trial(ctx, "none", "", func(context.Context) (func(context.Context) error, error) {
		return nil,
			nil
	}); err != nil {
		return err
	}
	if err := d.overlap(ctx); err != nil {
		return err
	}
	for range faultRounds {
		for _, f := range faults {
			for _, s := range d.Servers {
				if err := d.trial(ctx, s.Name()+"-"+f.name, s.Name(),
					func(ctx context.Context) (func(context.Context) error,
						error,
					) {
						return f.begin(ctx, s)
					}); err != nil {
					return err
				}
			}
		}
	}
	for range 2 {
		if err := d.trial(ctx, "api"+restarted, "", func(ctx context.Context) (func(context.Context) error, error) {
			return nil, d.balancer.replace(ctx)
		}); err != nil {
			return err
		}
	}
	for _, role := range workerRoles {
		if err := d.trial(ctx, role+restarted, "", func(ctx context.Context) (_ func(context.Context) error,
			err error,
		) {
			d.workers[role], err = restart(ctx, d.Environment, d.workers[role], role+"-again", role, nil)
			return nil, err
		}); err != nil {
			return err
		}
	}
	return nil
}

// restarted ends the names of trials in which nothing is broken: they may lose no request, whoever is to blame.
const restarted = "-restarted"

// settleFor is how long the load goes on after all is well, as part of the trial.
const settleFor = 2 * time.Second

func (d *drill) trial(ctx context.Context, name, server string,
	begin func(context.Context) (func(context.Context) error, error),
) error {
	d.feeds.open(name)
	d.events.open(name)
	t := &trial{}
	began := time.Now()
	end, err := begin(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	holding, cancel := context.WithTimeout(ctx, d.hold)
	_ = harness.Until(holding, 20*time.Millisecond, "the breaker opens", func() (bool, error) {
		if server != "" && t.opened == 0 && d.breakers(ctx)[server] == "open" {
			t.opened = time.Since(began)
		}
		return false, nil
	})
	cancel()
	if end != nil {
		healed := time.Now()
		if err := end(ctx); err != nil {
			return fmt.Errorf("%s: heal: %w", name, err)
		}
		if err := d.well(ctx, name); err != nil {
			return err
		}
		t.closed = time.Since(healed)
	}
	_ = worker.Pause(ctx, settleFor)
	t.window, t.events = d.feeds.open("between"), d.events.open("between")
	t.close()
	t.events.close()
	d.seen = append(d.seen, t)
	d.Tell("%s", t.line())
	return ctx.Err()
}

// wholeAgain is the part of a second's feeds that come from the cache or from ClickHouse when all is well.
const wholeAgain = 0.98

// wellAfter is when a program that is not well again after a fault has failed.
const wellAfter = time.Minute

// well waits until a replica is ready, with every dependency, all its breakers are closed, and feeds come
// from where they come while nothing is wrong: the next fault begins with all being well.
func (d *drill) well(ctx context.Context, after string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, wellAfter, fmt.Errorf("not well %s after %s", wellAfter, after))
	defer cancel()
	var not string
	err := harness.Until(ctx, 20*time.Millisecond, "all is well again", func() (bool, error) {
		_, body, err := harness.Fetch(ctx, d.balancer.first().URL()+"/readyz", "")
		var health struct{ Status string }
		if err != nil || json.Unmarshal(body, &health) != nil || health.Status != "ready" {
			not = string(body)
			return false, nil //nolint:nilerr // it is asked again
		}
		for server, state := range d.breakers(ctx) {
			if state != "closed" {
				not = server + "'s breaker is " + state
				return false, nil
			}
		}
		return true, nil
	})
	if err == nil {
		before := d.feeds.window.Load().served()
		err = harness.Until(ctx, time.Second, "feeds are whole again", func() (bool, error) {
			now := d.feeds.window.Load().served()
			all, whole := now.all-before.all, now.whole-before.whole
			before, not = now, fmt.Sprintf("%d of %d feeds are not degraded", whole, all)
			return all > 0 && float64(whole) >= wholeAgain*float64(all), nil
		})
	}
	if err != nil {
		return fmt.Errorf("%w (%s)", err, not)
	}
	return nil
}

// breakers are the states of a replica's breakers, by server.
func (d *drill) breakers(ctx context.Context) map[string]string {
	_, body, err := harness.Fetch(ctx, d.balancer.first().AdminURL()+"/admin/v1/breaker", d.admin)
	var list struct {
		Items []struct{ Dependency, State string }
	}
	if err != nil || json.Unmarshal(body, &list) != nil {
		return nil
	}
	states := map[string]string{}
	for _, b := range list.Items {
		states[b.Dependency] = b.State
	}
	return states
}
