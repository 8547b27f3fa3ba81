package suggest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"

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

// The list of popular people, and the fence of whoever publishes it, on one slot.
const (
	popularKey      = "suggest:{popular}"
	popularFenceKey = "suggest:fence:{popular}"
	popularFor      = 24 * time.Hour
)

// publishScript publishes unless somebody with a newer lead has.
const publishScript = `
local fence = tonumber(redis.call('GET', KEYS[2]) or '0')
if fence > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`

// ErrFenced says that another replica leads, and nothing was published.
var ErrFenced = errors.New("another replica has the lead")

// PopularJob finds popular people for all replicas.
type PopularJob struct {
	source PopularSource
	users  bool
	redis  *redis.Client
	script *rueidis.Lua
}

// NewPopularJob makes the job; users says that the app's table of users is copied.
func NewPopularJob(source PopularSource, users bool, client *redis.Client) *PopularJob {
	return &PopularJob{source: source, users: users, redis: client, script: rueidis.NewLuaScript(publishScript)}
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
	conn, err := j.redis.Conn()
	if err != nil {
		return err
	}
	published, err := j.script.Exec(ctx, conn, []string{popularKey, popularFenceKey}, []string{
		strconv.FormatInt(fence, 10), rueidis.BinaryString(text), strconv.FormatInt(popularFor.Milliseconds(), 10),
	}).AsInt64()
	switch {
	case err != nil:
		return fmt.Errorf("publish popular people: %w", err)
	case published == 0:
		return ErrFenced
	}
	return nil
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
