package replicas

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

const (
	cardsKey  = "replicas:v1"
	forcedKey = "breakers:v1"

	tellEvery = time.Second
	askWithin = 500 * time.Millisecond
	aliveFor  = 10 * time.Second // without a word
	listedFor = time.Minute
)

// Process is what a replica tells of itself.
type Process struct {
	Version string
	Roles   []string
}

// Breakers are those of this process.
type Breakers interface {
	// Status is that of each, as /admin/v1/breaker gives it.
	Status() any
	// Force applies a mode: auto, open, closed, or reset. It is false for a dependency that has no breaker.
	Force(dependency, mode string) bool
}

// Card is a replica as the others know it.
type Card struct {
	ID        string          `json:"id"`
	Host      string          `json:"host"`
	Version   string          `json:"version"`
	Roles     []string        `json:"roles"`
	StartedAt time.Time       `json:"started_at"`
	SeenAt    time.Time       `json:"seen_at"`
	Breakers  json.RawMessage `json:"breakers"` // null: it has none
	Alive     bool            `json:"alive"`
}

// forced is what an operator forced for all.
type forced struct {
	Mode string    `json:"mode"`
	At   time.Time `json:"at"`
}

// Replicas tells of this process, and knows of the others. It is safe for concurrent use.
type Replicas struct {
	card     Card
	breakers Breakers // nil: this process has none
	redis    *redis.Client
	clock    core.Clock
	log      *zap.Logger
	workers  *worker.Group

	mu      sync.Mutex
	applied map[string]time.Time // by dependency: what was applied last
}

// New makes it; Start begins to tell.
func New(process Process, breakers Breakers, client *redis.Client, clock core.Clock, log *zap.Logger) *Replicas {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return &Replicas{
		card: Card{
			ID: rand.Text()[:12], Host: fmt.Sprintf("%s, process %d", host, os.Getpid()), Version: process.Version,
			Roles: process.Roles, StartedAt: clock.Now().UTC(),
		},
		breakers: breakers, redis: client, clock: clock, log: log.Named("replicas"), workers: worker.NewGroup(nil),
		applied: map[string]time.Time{},
	}
}

// Start begins to tell and to listen.
func (r *Replicas) Start(context.Context) error {
	r.workers.Go("replicas", func(ctx context.Context) error {
		known := true
		for {
			err := r.beat(ctx)
			if err != nil && known && ctx.Err() == nil {
				r.log.Warn("other replicas are not told of, nor heard", zap.Error(err))
			}
			known = err == nil
			if worker.Pause(ctx, tellEvery) != nil {
				return nil //nolint:nilerr // it is stopped
			}
		}
	})
	return nil
}

// Stop takes the card away.
func (r *Replicas) Stop(ctx context.Context) error {
	err := r.workers.Stop(ctx)
	if conn, refused := r.redis.Conn(); refused == nil {
		ctx, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		_ = conn.Do(ctx, conn.B().Hdel().Key(cardsKey).Field(r.card.ID).Build()).Error() // it expires anyway
	}
	return err
}

// beat tells of this process, and applies what is forced.
func (r *Replicas) beat(ctx context.Context) error {
	conn, err := r.redis.Conn()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	modes, err := conn.Do(ctx, conn.B().Hgetall().Key(forcedKey).Build()).AsStrMap()
	if err != nil {
		return err
	}
	for dependency, text := range modes {
		r.apply(dependency, text)
	}
	card := r.card
	card.SeenAt = r.clock.Now().UTC()
	if r.breakers != nil {
		if card.Breakers, err = json.Marshal(r.breakers.Status()); err != nil {
			return err
		}
	}
	text, err := json.Marshal(card)
	if err != nil {
		return err
	}
	return conn.Do(ctx, conn.B().Hset().Key(cardsKey).FieldValue().FieldValue(card.ID, string(text)).Build()).Error()
}

// apply forces a breaker, if that is news.
func (r *Replicas) apply(dependency, text string) {
	var f forced
	if r.breakers == nil || json.Unmarshal([]byte(text), &f) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.applied[dependency]
	if known && !f.At.After(before) {
		return
	}
	r.applied[dependency] = f.At
	if !known && (f.Mode == "auto" || f.Mode == "reset") {
		return // of before it started
	}
	if r.breakers.Force(dependency, f.Mode) {
		r.log.Warn("breaker forced for all replicas", zap.String("dependency", dependency), zap.String("mode", f.Mode))
	}
}

// Force applies a mode in every replica: in those that run within about a second, in those that start later when
// they do.
func (r *Replicas) Force(ctx context.Context, dependency, mode string) error {
	conn, err := r.redis.Conn()
	if err != nil {
		return core.Unavailable("Redis, through which replicas are told", time.Second, err)
	}
	text, err := json.Marshal(forced{Mode: mode, At: r.clock.Now().UTC()})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	err = conn.Do(ctx, conn.B().Hset().Key(forcedKey).FieldValue().FieldValue(dependency, string(text)).Build()).Error()
	if err != nil {
		return core.Unavailable("Redis, through which replicas are told", time.Second, err)
	}
	r.apply(dependency, string(text))
	return nil
}

// List gives every replica that was heard of lately, by host.
func (r *Replicas) List(ctx context.Context) ([]Card, error) {
	conn, err := r.redis.Conn()
	if err != nil {
		return nil, core.Unavailable("Redis, through which replicas are known", time.Second, err)
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	found, err := conn.Do(ctx, conn.B().Hgetall().Key(cardsKey).Build()).AsStrMap()
	if err != nil {
		return nil, core.Unavailable("Redis, through which replicas are known", time.Second, err)
	}
	now := r.clock.Now()
	cards := make([]Card, 0, len(found))
	var gone []string
	for id, text := range found {
		var card Card
		if json.Unmarshal([]byte(text), &card) != nil || now.Sub(card.SeenAt) > listedFor {
			gone = append(gone, id)
			continue
		}
		card.Alive = now.Sub(card.SeenAt) <= aliveFor
		cards = append(cards, card)
	}
	if len(gone) > 0 {
		_ = conn.Do(ctx, conn.B().Hdel().Key(cardsKey).Field(gone...).Build()).Error() // the next one tries again
	}
	slices.SortFunc(cards, func(a, b Card) int { return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.ID, b.ID)) })
	return cards, nil
}
