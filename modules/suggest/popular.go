package suggest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// PopularSource finds popular people, most popular first.
type PopularSource interface {
	Popular(ctx context.Context) ([]Counted, error)
	Gone(ctx context.Context, users []core.ID) ([]core.ID, error)
	Existing(ctx context.Context, users []core.ID) ([]core.ID, error)
}

var _ PopularSource = (*ClickHouse)(nil)

// The list of popular people.
const (
	popularKey = "suggest:{popular}"
	popularFor = 24 * time.Hour
)

// PopularJob finds popular people for all replicas.
type PopularJob struct {
	source PopularSource
	users  bool
	redis  *redis.Client
}

// NewPopularJob makes the job; users says that the app's table of users is copied.
func NewPopularJob(source PopularSource, users bool, client *redis.Client) *PopularJob {
	return &PopularJob{source: source, users: users, redis: client}
}

// find finds the people who are there.
func (j *PopularJob) find(ctx context.Context) ([]Counted, error) {
	people, err := j.source.Popular(ctx)
	if err != nil || len(people) == 0 {
		return people, err
	}
	ids := make([]core.ID, len(people))
	for i, p := range people {
		ids[i] = p.User
	}
	look, keep := j.source.Gone, false
	if j.users {
		look, keep = j.source.Existing, true
	}
	found, err := look(ctx, ids)
	return slices.DeleteFunc(people, func(p Counted) bool { return slices.Contains(found, p.User) != keep }), err
}

// popularJSON is a person in the list.
type popularJSON struct {
	User  core.ID `json:"user"`
	Count int64   `json:"count"`
}

// Run asks once and publishes under the fence.
func (j *PopularJob) Run(ctx context.Context, fence int64) error {
	people, err := j.find(ctx)
	if err != nil {
		return err
	}
	out := make([]popularJSON, len(people))
	for i, p := range people {
		out[i] = popularJSON(p)
	}
	text, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("popular people: %w", err)
	}
	place := redis.Place{Key: popularKey, Fence: "suggest:fence:{popular}"}
	return j.redis.Publish(ctx, place, fence, text, popularFor)
}

// popularList is a replica's copy, which outlives Redis.
type popularList struct {
	redis *redis.Client
	gate  Gate // of Redis
	clock core.Clock

	mu     sync.Mutex
	people []popularJSON
	at     time.Time // when it was asked for last
}

// popularEvery is how long a replica uses its copy before it asks again.
const (
	popularEvery = time.Minute
	popularRetry = 5 * time.Second // where that failed, or nothing was published yet
)

// get is the list, asked for at most once in popularEvery. Whoever comes while it is asked for uses
// what there is.
func (p *popularList) get(ctx context.Context) []popularJSON {
	now := p.clock.Now()
	p.mu.Lock()
	people, due := p.people, now.Sub(p.at) >= popularEvery
	if due {
		p.at = now
	}
	p.mu.Unlock()
	if !due {
		return people
	}
	var fresh []popularJSON
	err := p.gate.Do(ctx, func(ctx context.Context) (err error) {
		fresh, err = p.read(ctx)
		return err
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil || len(fresh) == 0 {
		p.at = now.Add(popularRetry - popularEvery)
		return people
	}
	p.people = fresh
	return fresh
}

func (p *popularList) read(ctx context.Context) ([]popularJSON, error) {
	conn, err := p.redis.Conn()
	if err != nil {
		return nil, err
	}
	text, err := conn.Do(ctx, conn.B().Get().Key(popularKey).Build()).AsBytes()
	if err != nil {
		return nil, err
	}
	return decodePopular(text)
}

func decodePopular(text []byte) ([]popularJSON, error) {
	var people []popularJSON
	if len(text) > maxEntry {
		return nil, errBadEntry
	}
	if err := json.Unmarshal(text, &people); err != nil {
		return nil, fmt.Errorf("%w: %w", errBadEntry, err)
	}
	for i := range people {
		if !people[i].User.Valid() {
			return nil, errBadEntry
		}
	}
	return people, nil
}
