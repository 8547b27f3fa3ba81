package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// people read pages, tell what they saw, and post, follow and block, until they are told to stop.
type people struct {
	through      *harness.Balancer
	before       string // the version of which repeats are not judged
	app          *pgxpool.Pool
	token        func(core.ID) (string, error)
	users, posts int

	requests, failed, degraded, changes atomic.Int64
	repeated, repeatedBefore            atomic.Int64 // posts, by this version and by the one before

	mu       sync.Mutex
	examples map[string][]string // of what is wrong, by kind
	accepted []uuid.UUID         // events that were answered with 202
}

// mark is the version of the app that the events of the drill name: so they are found again.
const mark = "upgrade-drill"

// Each person pauses between requests, so that the servers and nine programs share the machine with them.
const (
	readers, writers = 6, 2
	readEvery        = 20 * time.Millisecond
	writeEvery       = 20 * time.Millisecond
	changeEvery      = 50 * time.Millisecond
	mostExamples     = 5 // of a kind
)

// live runs everybody until ctx ends.
func (p *people) live(ctx context.Context) error {
	var living sync.WaitGroup
	failed := make(chan error, readers+writers+1)
	each := func(every time.Duration, do func(*rand.Rand) error) {
		seed := rand.Uint64()
		living.Go(func() {
			for rng := rand.New(rand.NewPCG(seed, 1)); worker.Pause(ctx, every) == nil; {
				if err := do(rng); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for range readers {
		each(readEvery, p.read)
	}
	for range writers {
		each(writeEvery, p.act)
	}
	each(changeEvery, func(rng *rand.Rand) error { return p.change(context.WithoutCancel(ctx), rng) })
	living.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// ask sends a request. What fails is counted; see gets the body of a success.
func (p *people) ask(r harness.Request, user core.ID, see func([]byte)) (from *harness.Replica, ok bool, err error) {
	if r.Token, err = p.token(user); err != nil {
		return from, false, err
	}
	p.requests.Add(1)
	failure := "no replica is ready"
	if from = p.through.Next(); from != nil {
		failure = from.Client.Do(&r, see)
	}
	if failure != "" {
		p.failed.Add(1)
		p.example("failed", from, "%s %.60s: %s", r.Method, r.Path, failure)
	}
	return from, failure == "", nil
}

func (p *people) example(kind string, from *harness.Replica, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.examples == nil {
		p.examples = map[string][]string{}
	}
	if of := p.examples[kind]; len(of) < mostExamples {
		p.examples[kind] = append(of, fmt.Sprintf("%s %s: %s", time.Now().UTC().Format(time.TimeOnly), nameOf(from),
			fmt.Sprintf(format, args...)))
	}
}

func nameOf(r *harness.Replica) string {
	if r == nil {
		return "nobody"
	}
	return r.Name
}

// read is a session of three pages. Each may be of another replica, so of another version; no post may come twice.
func (p *people) read(rng *rand.Rand) error {
	user, path := p.user(rng), harness.FeedPath+"?limit=10"
	seen := map[string]bool{}
	for at := path; at != ""; {
		var page struct {
			Items []struct {
				Post string `json:"post"`
			} `json:"items"`
			NextCursor string `json:"next_cursor"`
			ServedFrom string `json:"served_from"`
			Degraded   bool   `json:"degraded"`
			Sources    json.RawMessage
		}
		var malformed error
		from, ok, err := p.ask(harness.Request{Method: http.MethodGet, Path: at}, user, func(body []byte) {
			malformed = json.Unmarshal(body, &page)
		})
		if err != nil || malformed != nil || !ok {
			return first(err, malformed)
		}
		if page.Degraded {
			p.degraded.Add(1)
			p.example("degraded", from, "a page of user %d from %s: %s", user, page.ServedFrom, page.Sources)
		}
		for _, item := range page.Items {
			if seen[item.Post] {
				p.countRepeat(from, user, item.Post)
			}
			seen[item.Post] = true
		}
		if at = ""; page.NextCursor != "" && len(seen) < 30 {
			at = path + "&cursor=" + page.NextCursor
		}
	}
	return nil
}

// countRepeat counts against the version that showed a post again: that of before is as it is.
func (p *people) countRepeat(from *harness.Replica, user core.ID, post string) {
	if from.Version == p.before {
		p.repeatedBefore.Add(1)
		return
	}
	p.repeated.Add(1)
	p.example("repeated", from, "post %s came twice in a session of user %d", post, user)
}

// act tells what a person saw. What is accepted goes into the ledger.
func (p *people) act(rng *rand.Rand) error {
	var ids []uuid.UUID
	var events []string
	for range 5 {
		id := uuid.New()
		ids = append(ids, id)
		events = append(events, fmt.Sprintf(
			`{"event_id":"%s","action":"%s","post":"%d","author":"1","occurred_at":"%s","app_version":"%s"}`,
			id, [...]string{"impression", "view", "click"}[rng.IntN(3)], 1+rng.IntN(p.posts),
			time.Now().UTC().Format(time.RFC3339Nano), mark))
	}
	var whole bool
	_, ok, err := p.ask(harness.Request{
		Method: http.MethodPost, Path: harness.EventsPath, Body: []byte(`{"events":[` + strings.Join(events, ",") + `]}`),
	}, p.user(rng), func(body []byte) { whole = bytes.Contains(body, []byte(`"accepted":5`)) })
	if err != nil || !ok {
		return err
	}
	if !whole {
		return fmt.Errorf("not all events of a request were accepted: %s", events)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accepted = append(p.accepted, ids...)
	return nil
}

// change is a change of the app's tables, which comes to feeds through CDC.
func (p *people) change(ctx context.Context, rng *rand.Rand) error {
	p.changes.Add(1)
	one, other := p.user(rng), p.user(rng)
	if one == other {
		return nil
	}
	var err error
	switch rng.IntN(5) {
	case 0:
		_, err = p.app.Exec(ctx, "INSERT INTO follows VALUES ($1, $2) ON CONFLICT DO NOTHING", one, other)
	case 1:
		_, err = p.app.Exec(ctx, "DELETE FROM follows WHERE follower_id = $1 AND followee_id = $2", one, other)
	case 2:
		_, err = p.app.Exec(ctx, "INSERT INTO blocks VALUES ($1, $2) ON CONFLICT DO NOTHING", one, other)
	case 3:
		_, err = p.app.Exec(ctx, "UPDATE posts SET deleted_at = now() WHERE id = $1", 1+rng.IntN(p.posts))
	default:
		_, err = p.app.Exec(ctx, "INSERT INTO posts (author_id, body) VALUES ($1, 'posted during the upgrade')", one)
	}
	return err
}

func (p *people) user(rng *rand.Rand) core.ID { return core.ID(1 + rng.IntN(p.users)) }

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
